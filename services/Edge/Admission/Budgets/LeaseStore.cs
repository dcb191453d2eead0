using System.Globalization;
using Gateway.Ledger.Leases;
using StackExchange.Redis;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>What Redis says of a lease.</summary>
internal enum LeaseStatus
{
    /// <summary>Room was granted.</summary>
    Granted,

    /// <summary>A heartbeat was noted.</summary>
    Noted,

    /// <summary>Less is available than the least asked for.</summary>
    Short,

    /// <summary>The window is being rebuilt after a loss of Redis: ask again later.</summary>
    Rebuilding,

    /// <summary>Redis does not know the window: Ledger must install it.</summary>
    Unknown,

    /// <summary>Redis does not answer.</summary>
    Unreachable,
}

/// <summary>Redis' reply to a lease script.</summary>
/// <param name="Status">What happened.</param>
/// <param name="Available">What is left of the window for anybody, in nano-dollars.</param>
/// <param name="GrantedInAll">All that this edge was granted less what it gave back, in nano-dollars.</param>
/// <param name="RetryAfterMilliseconds">When to ask again while the window is rebuilt.</param>
/// <param name="Spent">What the journal has booked.</param>
/// <param name="Limit">The limit in force.</param>
/// <param name="Revision">Of the definition that the limit is from.</param>
/// <param name="Others">What other edges hold of it.</param>
/// <param name="GrantedNow">What this reply grants of <paramref name="GrantedInAll"/>.</param>
internal sealed record LeaseReply(
    LeaseStatus Status, long Available, long GrantedInAll, long RetryAfterMilliseconds, long Spent, long Limit, long Revision, long Others, long GrantedNow = 0);

/// <summary>The lease scripts in Redis. One call acts on one window. A Redis that does not answer is a value, not an exception.</summary>
internal sealed class LeaseStore(IConnectionMultiplexer redis, EdgeIdentity identity, EdgeMetrics metrics)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);
    private static readonly RedisChannel Recalls = RedisChannel.Literal("gateway:budget-recalls");

    public Task<LeaseReply> AcquireAsync(string windowId, long want, long least, long charged, long granted) =>
        CallAsync(LeaseScript.Acquire, windowId, [identity.EdgeId, want, least, charged, granted]);

    public Task<LeaseReply> HeartbeatAsync(string windowId, long charged, long granted, long giveBack) =>
        CallAsync(LeaseScript.Heartbeat, windowId, [identity.EdgeId, charged, granted, giveBack]);

    /// <summary>Asks the other edges to give back what they hold of a window and do not need. Nobody waits for it: at worst it is not heard.</summary>
    public void Recall(string windowId)
    {
        metrics.LeaseCommand();
        redis.GetSubscriber().Publish(Recalls, $"{identity.EdgeId} {windowId}", CommandFlags.FireAndForget);
    }

    /// <summary>Hears what other edges recall.</summary>
    public async Task<bool> ListenAsync(Action<string> recalled)
    {
        try
        {
            await redis.GetSubscriber().SubscribeAsync(Recalls, (_, message) =>
            {
                var text = message.ToString();
                var space = text.IndexOf(' ', StringComparison.Ordinal);
                if (space > 0 && !text.AsSpan(0, space).SequenceEqual(identity.EdgeId))
                {
                    recalled(text[(space + 1)..]);
                }
            });
            return true;
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private async Task<LeaseReply> CallAsync(string script, string windowId, RedisValue[] arguments)
    {
        metrics.LeaseCommand();
        try
        {
            var result = await redis.GetDatabase()
                .ScriptEvaluateAsync(script, [(RedisKey)LeaseScript.KeyOf(windowId)], arguments)
                .WaitAsync(Timeout);
            var reply = (RedisValue[])result!;
            var status = (string?)reply[0] switch
            {
                "granted" => LeaseStatus.Granted,
                "ok" or "mismatch" => LeaseStatus.Noted,
                "short" => LeaseStatus.Short,
                "rebuilding" => LeaseStatus.Rebuilding,
                _ => LeaseStatus.Unknown,
            };
            return new LeaseReply(status, Number(reply[2]), Number(reply[3]), Number(reply[4]), Number(reply[5]), Number(reply[6]), Number(reply[7]), Number(reply[8]),
                status == LeaseStatus.Granted ? Number(reply[1]) : 0);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            metrics.LeaseCommandFailed();
            return new LeaseReply(LeaseStatus.Unreachable, 0, 0, 0, 0, 0, 0, 0);
        }
    }

    // Redis answers amounts as decimal text, in which 2^63 and more may be rounded: they mean "no limit".
    private static long Number(RedisValue value) =>
        decimal.TryParse((string?)value, NumberStyles.Number, CultureInfo.InvariantCulture, out var number)
            ? (long)decimal.Clamp(number, long.MinValue, long.MaxValue)
            : 0;
}
