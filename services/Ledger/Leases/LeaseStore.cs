using System.Globalization;
using Gateway.Contracts;
using StackExchange.Redis;

namespace Gateway.Ledger.Leases;

/// <summary>A window as <c>install.lua</c> left it.</summary>
internal sealed record InstalledWindow(bool Created, long Limit, long Spent, long Leased, long OpensInMs);

/// <summary>A limit for Redis: of a definition's revision, and, for a raise, until when it holds and what holds then.</summary>
internal sealed record LimitInForce(long Limit, long Revision, DateTimeOffset? Until, long After)
{
    public static LimitInForce Of(BudgetDefinition definition, DateTimeOffset now) => definition.LimitAt(now) is var raised && raised > definition.Limit
        ? new(raised.NanoDollars, definition.Revision, definition.IncreaseUntil, definition.Limit.NanoDollars)
        : new(definition.Limit.NanoDollars, definition.Revision, null, 0);
}

/// <summary>A window as Redis has it now.</summary>
internal sealed record StoredWindow(long Limit, long Spent, long SpentVersion, long Leased);

/// <summary>What <c>reclaim.lua</c> took back, and what silent edges still hold because they may have charged it.</summary>
internal sealed record ReclaimedWindow(long GivenBack, long Leased, long SpentVersion, IReadOnlyList<(string EdgeId, long Granted)> StillHeld);

/// <summary>Runs Ledger's own scripts. Every call may throw <see cref="RedisException"/> or <see cref="TimeoutException"/>.</summary>
internal sealed class LeaseStore(IConnectionMultiplexer redis)
{
    private static readonly string InstallScript = LeaseScript.Read("install");
    private static readonly string PostScript = LeaseScript.Read("post");
    private static readonly string ReclaimScript = LeaseScript.Read("reclaim");
    private static readonly string ParkScript = LeaseScript.Read("park");

    private IDatabase Database => redis.GetDatabase();

    public async Task<InstalledWindow> InstallAsync(
        string windowId, LimitInForce limit, long spent, long version, TimeSpan opensIn, DateTimeOffset? forgetAt, IEnumerable<DeclaredHolding> holdings)
    {
        List<RedisValue> arguments =
        [
            limit.Limit, limit.Revision, spent, version, (long)opensIn.TotalMilliseconds, forgetAt?.ToUnixTimeMilliseconds() ?? 0,
            limit.Until?.ToUnixTimeMilliseconds() ?? 0, limit.After,
        ];
        foreach (var holding in holdings)
        {
            arguments.AddRange([holding.EdgeId, holding.Declared, holding.Posted, holding.WrittenDown ? 0 : 1]);
        }

        var reply = (string[])(await RunAsync(InstallScript, windowId, [.. arguments]))!;
        return new(reply[0] == "created", Number(reply[1]), Number(reply[2]), Number(reply[3]), Number(reply[4]));
    }

    /// <summary>False when the window is not in Redis.</summary>
    public async Task<bool> PostAsync(string windowId, long spent, long version, IReadOnlyCollection<KeyValuePair<string, long>> posted)
    {
        List<RedisValue> arguments = [spent, version];
        foreach (var (edge, total) in posted)
        {
            arguments.AddRange([edge, total]);
        }

        var reply = (string[])(await RunAsync(PostScript, windowId, [.. arguments]))!;
        return reply[0] == "posted";
    }

    /// <summary>Null when the window is not in Redis.</summary>
    public async Task<ReclaimedWindow?> ReclaimAsync(string windowId, TimeSpan timeToLive, TimeSpan forgetAfter, TimeSpan goneAfter, IReadOnlyCollection<ClosedEdge> closed)
    {
        var reply = (string[])(await RunAsync(
            ReclaimScript, windowId,
            [(long)timeToLive.TotalMilliseconds, (long)forgetAfter.TotalMilliseconds, (long)goneAfter.TotalMilliseconds, .. closed.SelectMany(edge => (RedisValue[])[edge.EdgeId, edge.ForGood ? "posted" : "charged"])]))!;
        if (reply[0] != "reclaimed")
        {
            return null;
        }

        return new(Number(reply[1]), Number(reply[2]), Number(reply[3]), Holdings(reply.AsSpan(4)));
    }

    /// <summary>Takes a window out of Redis. Null when it is not there, or a living edge uses it; else who still holds something.</summary>
    public async Task<IReadOnlyList<(string EdgeId, long Granted)>?> ParkAsync(string windowId, TimeSpan timeToLive, IReadOnlyCollection<string> closed)
    {
        var reply = (string[])(await RunAsync(ParkScript, windowId, [(long)timeToLive.TotalMilliseconds, .. closed.Select(edge => (RedisValue)edge)]))!;
        return reply[0] == "parked" ? Holdings(reply.AsSpan(1)) : null;
    }

    /// <summary>Null when the window is not in Redis.</summary>
    public async Task<StoredWindow?> ReadAsync(string windowId)
    {
        var fields = await Database.HashGetAsync(LeaseScript.KeyOf(windowId), ["limit", "spent", "spent_version", "leased"]);
        return fields[0].IsNull ? null : new((long)fields[0], (long)fields[1], (long)fields[2], (long)fields[3]);
    }

    private Task<RedisResult> RunAsync(string script, string windowId, RedisValue[] arguments) =>
        Database.ScriptEvaluateAsync(script, [LeaseScript.KeyOf(windowId)], arguments);

    private static List<(string EdgeId, long Granted)> Holdings(ReadOnlySpan<string> pairs)
    {
        var held = new List<(string, long)>();
        for (var i = 0; i < pairs.Length; i += 2)
        {
            held.Add((pairs[i], Number(pairs[i + 1])));
        }

        return held;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
