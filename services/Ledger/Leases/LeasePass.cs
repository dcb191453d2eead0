using Gateway.Ledger.Duties;
using Gateway.Ledger.Edges;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Leases;

/// <summary>
/// Goes over the open windows, on the Ledger process on duty (T-27): takes back what silent edges hold, tells Redis totals that it missed,
/// and measures what is left. Windows of which something is leased are looked at every few seconds; the database, and others that were
/// touched lately, every half of a lease's time to live: nothing that is leased in between can have fallen silent yet. Idle ones have their turn
/// (<see cref="LeasePassTables"/>).
/// </summary>
internal sealed class LeasePass(
    LeasePassTables tables, LeaseStore store, Duty duty, MessagesUnderWay messages, LedgerMetrics metrics, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<LeasePass> logger)
    : BackgroundJob(clock, logger, options.Value.ReclaimEvery)
{
    // Windows in one pipelined round: bounds what is under way in Redis.
    private const int RoundSize = 256;

    private readonly HashSet<string> leased = new(StringComparer.Ordinal);
    // What the database has written down of silent edges: windows of which nothing is are not here, or every window there ever was would be.
    private Dictionary<string, IReadOnlyList<(string EdgeId, long Granted)>> noted = new(StringComparer.Ordinal);
    private PassInput input = PassInput.Empty;
    private long? wholeAt;
    private int soon;

    /// <summary>An edge has closed: the next pass looks at everything.</summary>
    public void LookAtAllSoon() => Volatile.Write(ref soon, 1);

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunOnceAsync(stoppingToken);
        }
        catch
        {
            // Nobody knows how far it came: the next pass looks at everything.
            wholeAt = null;
            throw;
        }

        await Task.Delay(options.Value.ReclaimEvery, Clock, stoppingToken);
    }

    /// <summary>One pass; false when another process has the duty.</summary>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        if (!duty.IsMine)
        {
            // What another process does meanwhile is not known here.
            wholeAt = null;
            return false;
        }

        var whole = wholeAt is not { } last || Clock.GetElapsedTime(last) >= options.Value.LeaseTimeToLive / 2 || Volatile.Read(ref soon) == 1;
        if (whole)
        {
            await ReadAsync(cancellation);
            if (input.Closed.Count > 0)
            {
                // Another process that stopped may have left messages of theirs to this one.
                await messages.AllDoneAsync(cancellation);
            }
        }

        foreach (var round in input.Windows.Where(window => whole || leased.Contains(window.Id)).Chunk(RoundSize))
        {
            await ReclaimAsync(round, cancellation);
        }

        if (whole && input.Closed.Count > 0)
        {
            await tables.SettleAsync(input.Closed, cancellation);
            input = input with { Closed = [] };
        }

        return true;
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        // What is said while this reads is for the next pass.
        Volatile.Write(ref soon, 0);

        // The first pass of a duty takes over what others noted, and looks at everything.
        var first = wholeAt is null;
        if (first)
        {
            noted = await tables.NotedAsync(cancellation);
        }

        input = await tables.ReadAsync(first, leased, cancellation);
        metrics.Budgets = input.Left;
        leased.Clear();
        wholeAt = Clock.GetTimestamp();
        if (input.ClosedLater)
        {
            // An edge closed whose last records are still on their way is looked for again soon.
            LookAtAllSoon();
        }
    }

    private async Task ReclaimAsync(PassWindow[] round, CancellationToken cancellation)
    {
        var results = await Task.WhenAll(round.Select(async window =>
            (Window: window, Result: await store.ReclaimAsync(window.Id, options.Value.LeaseTimeToLive, options.Value.ForgetEdgeAfter, options.Value.GoneEdgeAfter, input.Closed))));
        var changed = new List<(string Window, IReadOnlyList<(string EdgeId, long Granted)> Held)>();
        foreach (var (window, result) in results)
        {
            if (result is null)
            {
                continue;
            }

            if (result.GivenBack > 0)
            {
                metrics.Reclaimed(result.GivenBack);
                logger.LeasesReclaimed(result.GivenBack, window.Id);
            }

            if (result.SpentVersion < window.Version)
            {
                // Redis missed totals: it was away, or the process that was to tell it died.
                await tables.TellAgainAsync(window.Id, cancellation);
            }

            if (result.Leased > 0)
            {
                leased.Add(window.Id);
            }
            else
            {
                leased.Remove(window.Id);
            }

            if (!noted.GetValueOrDefault(window.Id, []).SequenceEqual(result.StillHeld))
            {
                changed.Add((window.Id, result.StillHeld));
            }
        }

        if (changed.Count == 0)
        {
            return;
        }

        await tables.NoteHeldAsync(changed, input.Closed, cancellation);
        foreach (var (window, held) in changed)
        {
            if (held.Count > 0)
            {
                noted[window] = held;
            }
            else
            {
                noted.Remove(window);
            }
        }
    }
}
