using System.Collections.Immutable;

namespace Gateway.Ledger.Leases;

/// <summary>What Redis knows of one edge in one window; amounts in nano-dollars.</summary>
/// <param name="Granted">Granted so far less released: <c>g</c>.</param>
/// <param name="Posted">Posted so far, as the journal has it: <c>p</c>.</param>
/// <param name="Charged">Charged so far, as it said last: <c>c</c>.</param>
/// <param name="SeenAt">When that was, in ms: <c>t</c>.</param>
internal sealed record EdgeHolding(long Granted, long Posted, long Charged, long SeenAt)
{
    public long Outstanding => Math.Max(0, Granted - Posted);
}

/// <summary>One budget window in Redis.</summary>
internal sealed record LeaseWindow(long Limit, long Revision, long Spent, long SpentVersion, long OpenAt, int ActiveEdges, ImmutableSortedDictionary<string, EdgeHolding> Edges)
{
    /// <summary>Until when <see cref="Limit"/> is a raise, in ms; 0 for for ever.</summary>
    public long LimitUntil { get; init; }

    /// <summary>What the limit is then.</summary>
    public long LimitAfter { get; init; }

    public long Leased => Edges.Values.Sum(edge => edge.Outstanding);

    public long Available => Limit - Spent - Leased;

    /// <summary>What a reply says is available: everything above 2^53 is said to be 2^53.</summary>
    public long AvailableShown => Math.Min(Available, 1L << 53);

    /// <summary>What a reply says that the others hold.</summary>
    public long OthersShown(string edge) => Math.Min(Leased - (Edges.GetValueOrDefault(edge)?.Outstanding ?? 0), 1L << 53);

    /// <summary>The window at an instant: a raise that is over is taken off for good.</summary>
    public LeaseWindow At(long now) => LimitUntil != 0 && now >= LimitUntil ? this with { Limit = LimitAfter, LimitUntil = 0 } : this;
}

internal enum LeaseStatus
{
    Granted,
    Short,
    Rebuilding,
    Unknown,
    Ok,
    Mismatch,
}

/// <summary>The answer to an edge: of <c>acquire.lua</c> and <c>heartbeat.lua</c>.</summary>
internal sealed record LeaseReply(LeaseStatus Status, long Moved, long Available, long Granted, long OpensInMs, long Spent, long Limit, long Revision, long Others)
{
    public static readonly LeaseReply Unknown = new(LeaseStatus.Unknown, 0, 0, 0, 0, 0, 0, 0, 0);
}

/// <summary>An edge of which the queue was read to its end.</summary>
/// <param name="EdgeId">The edge.</param>
/// <param name="ForGood">Nobody waits for a record of it any more: it holds nothing. Until then it keeps what it said that it had charged.</param>
internal readonly record struct ClosedEdge(string EdgeId, bool ForGood);

/// <summary>What an edge holds when a window is installed, and what the journal has of it.</summary>
/// <param name="EdgeId">The edge.</param>
/// <param name="Declared">The total that it holds.</param>
/// <param name="Posted">What the journal has.</param>
/// <param name="WrittenDown">It was silent, and Ledger wrote down what it held: that counts where Redis lost it. Else the edge says so itself.</param>
internal sealed record DeclaredHolding(string EdgeId, long Declared, long Posted, bool WrittenDown);

/// <summary>
/// The rule of the leases, without Redis: a window and a question in, a window and an answer out. The scripts beside this file do the same
/// atomically in Redis; a test runs random sequences through both and compares every step.
///
/// Never over: a grant never exceeds limit - spent - leased, and an amount leaves <c>leased</c> only together with its arrival in <c>spent</c>,
/// or when the edge gives it back, or when the edge is closed: all that it charged is in the journal then, but for what a Ledger that hangs
/// may still have in its hands, so what it said that it had charged stays held for a while. A silent edge may have charged all that it
/// holds, so it keeps it; only one that is taken for gone for good loses what it did not say that it had charged.
/// </summary>
internal static class LeaseRule
{
    /// <summary>Beside other edges a want is comfortable up to this part of their equal share.</summary>
    public const int Comfort = 4;

    /// <summary>A tight grant has a margin only while the window has room for this many more such requests.</summary>
    public const int MarginFrom = 128;

    /// <summary>One grant is never larger: a million dollars.</summary>
    public const long GrantMax = 1_000_000_000_000_000;

    public static (LeaseWindow? Window, LeaseReply Reply) Acquire(LeaseWindow? window, string edge, long want, long least, long charged, long believed, long now)
    {
        if (window is null || (believed != 0 && !window.Edges.ContainsKey(edge)))
        {
            return (window, LeaseReply.Unknown);
        }

        least = Math.Max(0, least);
        want = Math.Max(least, Math.Min(want, GrantMax));
        window = Contact(window.At(now), edge, charged, now);
        var holding = window.Edges[edge];
        var available = window.Available;
        if (window.OpenAt > now)
        {
            return (window, new(LeaseStatus.Rebuilding, 0, window.AvailableShown, holding.Granted, window.OpenAt - now, window.Spent, window.Limit, window.Revision, window.OthersShown(edge)));
        }

        if (available < Math.Max(least, 1))
        {
            return (window, new(LeaseStatus.Short, 0, window.AvailableShown, holding.Granted, 0, window.Spent, window.Limit, window.Revision, window.OthersShown(edge)));
        }

        var grant = GrantOf(want, least, available, window.ActiveEdges);
        holding = holding with { Granted = holding.Granted + grant };
        window = window with { Edges = window.Edges.SetItem(edge, holding) };
        return (window, new(LeaseStatus.Granted, grant, window.AvailableShown, holding.Granted, 0, window.Spent, window.Limit, window.Revision, window.OthersShown(edge)));
    }

    public static (LeaseWindow? Window, LeaseReply Reply) Heartbeat(LeaseWindow? window, string edge, long charged, long believed, long giveBack, long now)
    {
        if (window is null || (believed != 0 && !window.Edges.ContainsKey(edge)))
        {
            return (window, LeaseReply.Unknown);
        }

        var before = window.Edges.GetValueOrDefault(edge)?.Granted ?? believed;
        window = Contact(window.At(now), edge, charged, now);
        var holding = window.Edges[edge];
        var agrees = before == believed && holding.Granted == believed;
        var given = agrees ? Math.Max(0, Math.Min(giveBack, holding.Granted - charged)) : 0;
        holding = holding with { Granted = holding.Granted - given };
        window = window with { Edges = window.Edges.SetItem(edge, holding) };
        return (window, new(
            agrees ? LeaseStatus.Ok : LeaseStatus.Mismatch, given, window.AvailableShown, holding.Granted, Math.Max(0, window.OpenAt - now), window.Spent, window.Limit, window.Revision, window.OthersShown(edge)));
    }

    /// <summary>Puts a window in, or brings it up to date; <paramref name="opensInMs"/> counts only for a new one.</summary>
    public static LeaseWindow Install(
        LeaseWindow? window, long limit, long revision, long spent, long spentVersion, long opensInMs, IEnumerable<DeclaredHolding> declared, long now,
        long limitUntil = 0, long limitAfter = 0)
    {
        var created = window is null;
        window = window is null
            ? new(limit, revision, spent, spentVersion, now + opensInMs, 0, ImmutableSortedDictionary.Create<string, EdgeHolding>(StringComparer.Ordinal))
            {
                LimitUntil = limitUntil, LimitAfter = limitAfter,
            }
            : window with
            {
                Limit = revision >= window.Revision ? limit : window.Limit,
                LimitUntil = revision >= window.Revision ? limitUntil : window.LimitUntil,
                LimitAfter = revision >= window.Revision ? limitAfter : window.LimitAfter,
                Revision = Math.Max(revision, window.Revision),
                Spent = spentVersion > window.SpentVersion ? spent : window.Spent,
                SpentVersion = Math.Max(spentVersion, window.SpentVersion),
            };
        foreach (var (edge, holds, posted, writtenDown) in declared)
        {
            if (window.Edges.TryGetValue(edge, out var known))
            {
                window = window with { Edges = window.Edges.SetItem(edge, known with { Posted = Math.Max(known.Posted, posted) }) };
            }
            else if (holds != 0 && (created || !writtenDown))
            {
                window = window with { ActiveEdges = window.ActiveEdges + (writtenDown ? 0 : 1), Edges = window.Edges.Add(edge, new(holds, posted, holds, writtenDown ? 0 : now)) };
            }
        }

        return window;
    }

    public static LeaseWindow? Post(LeaseWindow? window, long spent, long spentVersion, IEnumerable<(string EdgeId, long Posted)> edges)
    {
        if (window is null)
        {
            return null;
        }

        if (spentVersion > window.SpentVersion)
        {
            window = window with { Spent = spent, SpentVersion = spentVersion };
        }

        foreach (var (edge, posted) in edges)
        {
            if (window.Edges.TryGetValue(edge, out var known) && posted > known.Posted)
            {
                window = window with { Edges = window.Edges.SetItem(edge, known with { Posted = posted }) };
            }
        }

        return window;
    }

    public static (LeaseWindow? Window, long GivenBack) Reclaim(LeaseWindow? window, long timeToLiveMs, long forgetMs, long goneMs, IReadOnlyCollection<ClosedEdge> closed, long now)
    {
        if (window is null || (window.Leased == 0 && closed.Count == 0))
        {
            return (window, 0);
        }

        var closedForGood = closed.ToDictionary(edge => edge.EdgeId, edge => edge.ForGood, StringComparer.Ordinal);
        var (given, alive) = (0L, 0);
        foreach (var (edge, holding) in window.Edges)
        {
            var silent = now - holding.SeenAt;
            var isClosed = closedForGood.TryGetValue(edge, out var forGood);
            if (silent <= timeToLiveMs && !isClosed)
            {
                alive++;
                continue;
            }

            var keeps = Math.Min(
                holding.Granted, forGood ? holding.Posted : isClosed || silent > goneMs ? Math.Max(holding.Posted, holding.Charged) : holding.Granted);
            given += holding.Granted - keeps;
            window = window with
            {
                Edges = keeps <= holding.Posted && (isClosed || silent > forgetMs)
                    ? window.Edges.Remove(edge)
                    : window.Edges.SetItem(edge, holding with { Granted = keeps }),
            };
        }

        return (window with { ActiveEdges = alive }, given);
    }

    /// <summary>Takes a window out when no living edge uses it, and says who still holds something; null when one lives.</summary>
    public static IReadOnlyList<(string EdgeId, long Granted)>? Park(LeaseWindow window, long timeToLiveMs, IReadOnlySet<string> closed, long now) =>
        window.Edges.Any(edge => now - edge.Value.SeenAt <= timeToLiveMs && !closed.Contains(edge.Key))
            ? null
            : [.. window.Edges.Where(edge => edge.Value.Outstanding > 0).Select(edge => (edge.Key, edge.Value.Granted))];

    private static LeaseWindow Contact(LeaseWindow window, string edge, long charged, long now)
    {
        var known = window.Edges.GetValueOrDefault(edge);
        var holding = known is null
            ? new EdgeHolding(charged, 0, charged, now)
            : known with { Granted = Math.Max(known.Granted, charged), Charged = charged, SeenAt = now };
        return window with { ActiveEdges = window.ActiveEdges + (known is null ? 1 : 0), Edges = window.Edges.SetItem(edge, holding) };
    }

    private static long GrantOf(long want, long least, long available, int activeEdges)
    {
        var others = 1 + activeEdges;
        if (want <= available / (Comfort * others))
        {
            return want;
        }

        var margin = available >= MarginFrom * (decimal)least ? Math.Min(least, available / (MarginFrom * others)) : 0;
        return Math.Max(1, Math.Min(want, least + margin));
    }
}
