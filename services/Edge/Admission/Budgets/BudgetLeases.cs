using System.Collections.Concurrent;
using Gateway.Contracts;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>All leases of this edge, by window, and what keeps them alive.</summary>
internal sealed class BudgetLeases(
    LeaseStore store, LedgerClient ledger, EdgeIdentity identity, IOptions<BudgetOptions> options, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, BudgetLease> leases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LeaseTotals> retired = new(StringComparer.Ordinal);

    /// <summary>Every lease, for the metrics.</summary>
    public ICollection<BudgetLease> All => leases.Values;

    /// <summary>The lease on the window of <paramref name="definition"/> that is open now.</summary>
    public BudgetLease Get(BudgetDefinition definition)
    {
        var window = definition.WindowAt(time.GetUtcNow());
        var lease = leases.GetOrAdd(
            window.Id,
            static (_, made) => made.self.Make(made.window, made.definition),
            (window, definition, self: this));
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
                var instant = time.GetUtcNow();
                if (slow)
                {
                    slowAt = now + 1_000;
                }

                foreach (var (id, lease) in leases)
                {
                    lease.Tick(now, slow, instant);
                    if (slow && lease.Idle && now - lease.UsedAt > (leases.Count > options.Value.LeasesMax ? 0 : ForgetAfter.TotalMilliseconds))
                    {
                        Forget(id, lease);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (!await store.ListenAsync(Recall) && await timer.WaitForNextTickAsync(stoppingToken))
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

    private BudgetLease Make(BudgetWindow window, BudgetDefinition definition) =>
        new(window, definition, store, ledger, identity, options.Value, time, retired.TryRemove(window.Id, out var totals) ? totals : default);

    // Redis counts what this process was granted for as long as it lives: the totals of a lease outlive the lease.
    private void Forget(string id, BudgetLease lease)
    {
        if (lease.Window.End is null || lease.Window.End > time.GetUtcNow())
        {
            retired[id] = lease.Totals;
        }

        leases.TryRemove(id, out _);
    }
}
