using StackExchange.Redis;

namespace Gateway.Edge.Admission.Rates;

internal enum RateStatus
{
    /// <summary>Done; granted as far as there was something.</summary>
    Ok,

    /// <summary>Redis has lost the key: nothing was done, what counts must be told again.</summary>
    Lost,

    /// <summary>After a restart of Redis: corrections were taken in, nothing is granted yet.</summary>
    Settling,

    /// <summary>It ran later than the edge wanted: nothing was done. Only the clock is of use.</summary>
    Late,

    /// <summary>Redis does not answer.</summary>
    Unreachable,
}

/// <summary>What an edge asks of a window.</summary>
/// <param name="Born">As the edge knows it; empty when nothing that it used counts any more.</param>
/// <param name="Clock">Redis' clock as known; null before the first answer.</param>
/// <param name="Least">Below this nothing is granted (when somebody waits).</param>
/// <param name="Need">What those who wait need in all; 0 when nobody waits.</param>
/// <param name="Extra">What may be granted ahead of need.</param>
/// <param name="Corrections">Added to buckets or taken off, before anything is granted.</param>
internal readonly record struct WindowAsk(
    long Limit, string Born, RateClock? Clock, long Least, long Need, long Extra, long ShortHoldMs, List<RateUse> Corrections);

/// <summary>What Redis answers.</summary>
/// <param name="NowMs">Redis' time.</param>
/// <param name="Bucket">The bucket that the grant counts in.</param>
/// <param name="Sum">All that counts now, with the grant.</param>
/// <param name="WaitMs">When settling: how long still.</param>
/// <param name="Uses">When less than needed was granted: all that counts, oldest first.</param>
internal readonly record struct WindowReply(RateStatus Status, long NowMs, string Born, long Bucket, long Granted, long Sum, long WaitMs, RateUse[] Uses)
{
    public static readonly WindowReply Unreachable = new(RateStatus.Unreachable, 0, "", 0, 0, 0, 0, []);
}

/// <summary>What Redis answers about slots.</summary>
internal readonly record struct SlotReply(RateStatus Status, long Count, long Others, long WaitMs);

/// <summary>
/// The rate limits in Redis: by scripts, or, where scripts are forbidden, by plain transactions (<see cref="PlainRates"/>). A Redis that
/// does not answer is a value, not an exception.
/// </summary>
internal sealed class RateStore(IConnectionMultiplexer redis, RateOptions options, TimeProvider time, RateMetrics metrics, ILogger logger)
{
    private readonly long startedAt = time.GetTimestamp();
    private readonly PlainRates plain = new(redis, options);
    private int scriptsForbidden;

    /// <summary>Whether Redis refuses scripts: then other keys are used, because the script's sums would be wrong.</summary>
    public bool ScriptsForbidden => Volatile.Read(ref scriptsForbidden) == 1;

    /// <param name="late">Hears the answer when it comes after all: it may have granted something.</param>
    public async Task<WindowReply> WindowAsync(string name, WindowAsk ask, Action<WindowReply> late)
    {
        for (var attempt = 0; ; attempt++)
        {
            metrics.Command();
            var call = ScriptsForbidden ? plain.WindowAsync(name, ask, time) : ScriptedWindowAsync(name, ask);
            try
            {
                return await call.WaitAsync(options.Timeout);
            }
            catch (TimeoutException) when (!call.IsCompleted)
            {
                _ = HearAsync(call, late);
                metrics.CommandFailed();
                return WindowReply.Unreachable;
            }
            catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException)
            {
                if (attempt == 0 && MayTryAgain(error))
                {
                    continue;
                }

                metrics.CommandFailed();
                return WindowReply.Unreachable;
            }
        }
    }

    /// <summary>Sets how many slots this edge has: <paramref name="keep"/> in any case, up to <paramref name="want"/> while there are some.</summary>
    public async Task<SlotReply> SlotsAsync(string name, string field, long want, long keep, long limit)
    {
        for (var attempt = 0; ; attempt++)
        {
            metrics.Command();
            try
            {
                return await (ScriptsForbidden ? plain.SlotsAsync(name, field, want, keep, limit) : ScriptedSlotsAsync(name, field, want, keep, limit))
                    .WaitAsync(options.Timeout);
            }
            catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException)
            {
                if (attempt == 0 && MayTryAgain(error))
                {
                    continue;
                }

                metrics.CommandFailed();
                return new SlotReply(RateStatus.Unreachable, 0, 0, 0);
            }
        }
    }

    private static async Task HearAsync(Task<WindowReply> call, Action<WindowReply> late)
    {
        try
        {
            late(await call);
        }
        catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException)
        {
            // It never comes.
        }
    }

    private long AgeMs => (long)time.GetElapsedTime(startedAt).TotalMilliseconds;

    private async Task<WindowReply> ScriptedWindowAsync(string name, WindowAsk ask)
    {
        var rule = options.Rule;
        var arguments = new RedisValue[13 + (2 * ask.Corrections.Count)];
        var sent = time.GetTimestamp() / Math.Max(1, time.TimestampFrequency / 1_000);
        arguments[0] = rule.Window;
        arguments[1] = rule.Width;
        arguments[2] = ask.Limit;
        arguments[3] = ask.Born;
        arguments[4] = ask.Clock is { } clock ? clock.LatestAt(sent) + (options.TimeoutMs * 9 / 10) : 0;
        arguments[5] = ask.Least;
        arguments[6] = ask.Need;
        arguments[7] = ask.Extra;
        arguments[8] = ask.ShortHoldMs;
        arguments[9] = options.HoldMs;
        arguments[10] = options.SettleMs;
        arguments[11] = AgeMs;
        arguments[12] = ask.Corrections.Count;
        for (var i = 0; i < ask.Corrections.Count; i++)
        {
            arguments[13 + (2 * i)] = ask.Corrections[i].Bucket;
            arguments[14 + (2 * i)] = ask.Corrections[i].Amount;
        }

        var result = await redis.GetDatabase().ScriptEvaluateAsync(RateScript.Window, [(RedisKey)$"rate:{{{name}}}"], arguments);
        var reply = (RedisValue[])result!;
        var uses = reply.Length > 7 ? new RateUse[(reply.Length - 7) / 2] : [];
        for (var i = 0; i < uses.Length; i++)
        {
            uses[i] = new RateUse((long)reply[7 + (2 * i)], (long)reply[8 + (2 * i)]);
        }

        return new WindowReply(
            StatusOf((string?)reply[0]), (long)reply[1], (string?)reply[2] ?? "", (long)reply[3], (long)reply[4], (long)reply[5], (long)reply[6], uses);
    }

    private async Task<SlotReply> ScriptedSlotsAsync(string name, string field, long want, long keep, long limit)
    {
        var result = await redis.GetDatabase().ScriptEvaluateAsync(
            RateScript.Slots,
            [(RedisKey)$"slots:{{{name}}}"],
            [field, want, keep, limit, options.SlotMs, options.SettleMs, AgeMs]);
        var reply = (RedisValue[])result!;
        return new SlotReply(StatusOf((string?)reply[0]), (long)reply[1], (long)reply[2], (long)reply[3]);
    }

    private bool MayTryAgain(Exception error)
    {
        if (IsForbidden(error))
        {
            if (Interlocked.Exchange(ref scriptsForbidden, 1) == 0)
            {
                metrics.ScriptsForbidden();
                logger.RateScriptsForbidden(error.Message);
            }

            return true;
        }

        // Somebody flushed the scripts; the client sends the text again the next time.
        return error is RedisServerException && error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);
    }

    // By rename-command or a proxy ("unknown command"), by an access list (NOPERM), or by the client's own map for a known proxy.
    private bool IsForbidden(Exception error) => !ScriptsForbidden && (error is RedisCommandException || (error is RedisServerException
        && (error.Message.Contains("unknown command", StringComparison.OrdinalIgnoreCase)
            || error.Message.Contains("unsupported command", StringComparison.OrdinalIgnoreCase)
            || (error.Message.StartsWith("NOPERM", StringComparison.Ordinal)
                && (error.Message.Contains("eval", StringComparison.OrdinalIgnoreCase)
                    || error.Message.Contains("script", StringComparison.OrdinalIgnoreCase))))));

    private static RateStatus StatusOf(string? status) => status switch
    {
        "ok" => RateStatus.Ok,
        "lost" => RateStatus.Lost,
        "settling" => RateStatus.Settling,
        _ => RateStatus.Late,
    };
}
