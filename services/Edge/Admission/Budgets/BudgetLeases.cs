using System.Collections.Concurrent;
using Gateway.Contracts;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>All leases of this edge, by window, and what keeps them alive.</summary>
internal sealed class BudgetLeases(
    LeaseStore store, LedgerClient ledger, EdgeIdentity identity, IOptions<BudgetOptions> options, EdgeLog log, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, BudgetLease> leases = new(StringComparer.Ordinal);

    /// <summary>Held while a lease is made or forgotten: two of one window must not begin with the same totals.</summary>
    private readonly Lock making = new();

    /// <summary>What forgotten leases of windows that are still open came to.</summary>
    private readonly Dictionary<string, (LeaseTotals Totals, DateTimeOffset? End)> retired = new(StringComparer.Ordinal);
    private bool retiredLost;
    private long sweepAt;

    /// <summary>Every lease, for the metrics.</summary>
    public ICollection<BudgetLease> All => leases.Values;

    /// <summary>Forgotten leases whose totals are remembered.</summary>
    public int Retired
    {
        get
        {
            lock (making)
            {
                return retired.Count;
            }
        }
    }

    /// <summary>The lease on the window of <paramref name="definition"/> that is open now.</summary>
    public BudgetLease Get(BudgetDefinition definition)
    {
        var window = definition.WindowAt(time.GetUtcNow());
        if (!leases.TryGetValue(window.Id, out var lease) || lease.Closed)
        {
            lock (making)
            {
                // One that is closed was taken out in here.
                if (!leases.TryGetValue(window.Id, out lease))
                {
                    leases[window.Id] = lease = Make(window, definition);
                }
            }
        }

        lease.Update(definition);
        return lease;
    }

    /// <summary>Gives everything back: the edge stops.</summary>
    public Task ReleaseAllAsync() => Task.WhenAll(leases.Values.Select(lease => lease.ReleaseAsync()));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _ = ListenAsync(stoppingToken);
        using var timer = new PeriodicTimer(TickInterval);
        var slowAt = Environment.TickCount64;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = Environment.TickCount64;
                var slow = now >= slowAt;
                if (slow)
                {
                    slowAt = now + 1_000;
                }

                try
                {
                    Tick(now, slow);
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    log.LoopFailed(nameof(BudgetLeases), error);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>What happens about ten times a second; <paramref name="slow"/>: and once a second.</summary>
    internal void Tick(long now, bool slow)
    {
        var instant = time.GetUtcNow();
        foreach (var (id, lease) in leases)
        {
            lease.Tick(now, slow, instant);
            if (slow && now - lease.UsedAt > (leases.Count > options.Value.LeasesMax ? 0 : ForgetAfter.TotalMilliseconds))
            {
                Forget(id, lease, instant);
            }
        }

        if (now >= sweepAt)
        {
            sweepAt = now + (long)SweepInterval.TotalMilliseconds;
            lock (making)
            {
                foreach (var (id, past) in retired)
                {
                    if (past.End <= instant)
                    {
                        retired.Remove(id);
                    }
                }
            }
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (!await HearAsync() && await timer.WaitForNextTickAsync(stoppingToken))
            {
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Recall(string windowId)
    {
        if (leases.TryGetValue(windowId, out var lease))
        {
            lease.Recall();
        }
    }

    private async Task<bool> HearAsync()
    {
        try
        {
            return await store.ListenAsync(Recall);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            log.LoopFailed(nameof(BudgetLeases), error);
            return false;
        }
    }

    private BudgetLease Make(BudgetWindow window, BudgetDefinition definition)
    {
        LeaseTotals? earlier = retired.Remove(window.Id, out var past) ? past.Totals : retiredLost ? null : default(LeaseTotals);
        return new(window, definition, store, ledger, identity, options.Value, log, time, earlier);
    }

    // Redis counts what this process was granted for as long as it lives: the totals of a lease outlive the lease, until its window ends.
    private void Forget(string id, BudgetLease lease, DateTimeOffset instant)
    {
        lock (making)
        {
            if (!lease.TryClose())
            {
                return;
            }

            leases.TryRemove(id, out _);
            if (lease.Totals.Granted == 0 || lease.Window.End <= instant)
            {
                return;
            }

            if (retired.Count >= options.Value.RetiredMax)
            {
                // From now on a lease of which nothing is known here takes it from what Redis says of this process.
                retired.Clear();
                retiredLost = true;
            }

            retired[id] = (lease.Totals, lease.Window.End);
        }
    }
}
