using System.Diagnostics.Metrics;
using Gateway.Contracts;
using Gateway.Ledger.Journal;

namespace Gateway.Ledger;

/// <summary>A budget's metric: how much of it is left, from 1 to 0 (below 0 when it was overrun).</summary>
internal sealed record BudgetLeft(string Scope, string Owner, double Ratio);

/// <summary>Meter <c>Gateway.Ledger</c>. Tags come from small closed sets; budgets are bounded by <see cref="LedgerOptions.BudgetsInMetrics"/>.</summary>
internal sealed class LedgerMetrics
{
    private readonly Counter<long> entries;
    private readonly Counter<long> repeated;
    private readonly Counter<long> conflicts;
    private readonly Counter<long> rejected;
    private readonly Counter<long> transactions;
    private readonly Counter<long> retries;
    private readonly Counter<double> booked;
    private readonly Histogram<double> transactionSeconds;
    private readonly Counter<long> installs;
    private readonly Counter<double> reclaimed;
    private readonly Counter<long> redisFailures;
    private readonly Counter<long> alerts;

    public LedgerMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Gateway.Ledger");
        entries = meter.CreateCounter<long>("gateway.journal.entries", "{entry}", "Entries added to the journal.");
        repeated = meter.CreateCounter<long>("gateway.journal.repeated", "{entry}", "Entries delivered again and skipped.");
        conflicts = meter.CreateCounter<long>("gateway.journal.conflicts", "{entry}", "Entries delivered again with another amount: the first stands.");
        rejected = meter.CreateCounter<long>("gateway.journal.rejected", "{record}", "Records kept aside because no rule could book them.");
        transactions = meter.CreateCounter<long>("gateway.journal.transactions", "{transaction}", "Transactions that wrote the journal.");
        retries = meter.CreateCounter<long>("gateway.journal.retries", "{transaction}", "Transactions tried again: the database was away, or a deadlock was broken.");
        booked = meter.CreateCounter<double>("gateway.journal.booked", "dollars", "Dollars booked.");
        transactionSeconds = meter.CreateHistogram(
            "gateway.journal.transaction.duration", "s", "Time of one transaction.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] });
        installs = meter.CreateCounter<long>("gateway.budget.windows.installed", "{window}", "Windows put into Redis, by whether they were lost there before.");
        reclaimed = meter.CreateCounter<double>("gateway.budget.reclaimed", "dollars", "Dollars taken back from silent edges.");
        redisFailures = meter.CreateCounter<long>("gateway.budget.redis.failures", "{call}", "Calls to Redis that failed.");
        alerts = meter.CreateCounter<long>("gateway.budget.alerts", "{alert}", "Budget alerts raised.");
        meter.CreateObservableGauge("gateway.ledger.budget.remaining_ratio", () => Budgets.Select(budget => new Measurement<double>(
            budget.Ratio, new("scope", budget.Scope), new("owner", budget.Owner))), description: "What is left of a budget: 1 all, 0 nothing. Those closest to their limit.");
        meter.CreateObservableGauge("gateway.reconciliation.difference.dollars", () => Differences.Append(new("provider_usage", ProviderDifference)).Select(pair => new Measurement<double>(
            pair.Value, new KeyValuePair<string, object?>("kind", pair.Key))), description: "What the last comparison of the books found: 0 is right.");
        meter.CreateObservableGauge("gateway.batches", () => Batches.Select(pair => new Measurement<long>(
            pair.Value, new KeyValuePair<string, object?>("state", pair.Key.ToLowerInvariant()))), "{batch}", "Batches that are not settled by how far the gateway is with them. One that is unresolved stays charged at its estimate.");
        meter.CreateObservableGauge("gateway.reconciliation.open.dollars", () => OpenAtEdges.Dollars, description: "What edges have charged and the journal does not have yet.");
        meter.CreateObservableGauge("gateway.reconciliation.open.age", () => OpenAtEdges.Seconds, "s", "For how long some of it has not moved.");
        meter.CreateObservableGauge("gateway.reconciliation.age", () => ReconciledAgo?.Invoke() ?? 0, "s", "Since the last finished comparison.");
    }

    /// <summary>Set by the pass over the leases.</summary>
    public IReadOnlyList<BudgetLeft> Budgets { get; set; } = [];

    /// <summary>Set by the reconciliation.</summary>
    public IReadOnlyDictionary<string, double> Differences { get; set; } = new Dictionary<string, double>();

    /// <summary>Set by the reconciliation: what edges have charged and the journal does not have, and for how many seconds some of it has not moved.</summary>
    public (double Dollars, double Seconds) OpenAtEdges { get; set; }

    /// <summary>Set when a provider's own usage was compared: the last such file's difference, in dollars.</summary>
    public double ProviderDifference { get; set; }

    /// <summary>Set whenever an edge asks for batches to look at.</summary>
    public IReadOnlyDictionary<string, long> Batches { get; set; } = new Dictionary<string, long>();

    public Func<double>? ReconciledAgo { get; set; }

    public void Booked(JournalResult result, TimeSpan duration)
    {
        transactions.Add(1);
        transactionSeconds.Record(duration.TotalSeconds);
        entries.Add(result.Added);
        repeated.Add(result.Repeated);
        conflicts.Add(result.Conflicts.Count);
        if (result.AddedAmount > 0)
        {
            booked.Add((double)new Money(result.AddedAmount).ToDollars());
        }
    }

    public void Rejected(string reason) => rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Retried() => retries.Add(1);

    public void Installed(bool wasLost) => installs.Add(1, new KeyValuePair<string, object?>("lost", wasLost));

    public void Reclaimed(long nanoDollars) => reclaimed.Add((double)new Money(nanoDollars).ToDollars());

    public void RedisFailed(string call) => redisFailures.Add(1, new KeyValuePair<string, object?>("call", call));

    public void Alerted(string kind) => alerts.Add(1, new KeyValuePair<string, object?>("event", kind));
}
