using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Routing;

namespace Gateway.Edge;

/// <summary>
/// Everything that the edge measures (docs/telemetry.md has a row for each). Labels come from the configuration and from what
/// administrators named: no key, no end user, no free text. The SDK bounds what is left.
/// </summary>
internal sealed class EdgeMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Gateway.Edge";

    private const string None = "";

    private readonly Counter<double> writtenOff;
    private readonly Counter<long> attempts;
    private readonly Counter<long> leaseCommands;
    private readonly Counter<long> leaseFailures;
    private readonly Counter<long> publishFailures;
    private readonly Counter<long> unpriced;
    private readonly Counter<long> estimated;
    private readonly Counter<long> batchesSettled;
    private readonly Counter<long> batchesUnresolved;
    private readonly Histogram<double> duration;
    private readonly Histogram<double> firstToken;
    private readonly Histogram<double> overhead;
    private readonly RequestTotals totals = new();
    private readonly Meter meter;

    public EdgeMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MeterName);
        meter.CreateObservableCounter("gateway.requests", totals.Requests, "{request}", "Requests handled");
        meter.CreateObservableCounter("gateway.tokens", totals.Tokens, "{token}", "Tokens used");
        meter.CreateObservableCounter("gateway.cost", totals.Cost, "dollars", "What requests cost");
        writtenOff = meter.CreateCounter<double>("gateway.written_off", "dollars", "What providers produced beyond the end of a budget");
        attempts = meter.CreateCounter<long>("gateway.failed_attempts", "{attempt}", "Calls to providers that gave no answer");
        leaseCommands = meter.CreateCounter<long>("gateway.lease.commands", "{command}", "Redis commands of the budget leases");
        leaseFailures = meter.CreateCounter<long>("gateway.lease.command_failures", "{command}", "Redis commands of the budget leases without an answer");
        publishFailures = meter.CreateCounter<long>("gateway.spool.publish_failures", "{batch}", "Batches of usage records that the broker did not confirm");
        unpriced = meter.CreateCounter<long>("gateway.unpriced_requests", "{request}", "Requests to models without a price");
        estimated = meter.CreateCounter<long>("gateway.estimated_requests", "{request}", "Requests whose tokens were counted here");
        batchesSettled = meter.CreateCounter<long>("gateway.batches.settled", "{batch}", "Batches that are over and charged what they cost");
        batchesUnresolved = meter.CreateCounter<long>("gateway.batches.unresolved", "{batch}", "Batches that nobody could say the cost of: they stay charged at their estimate");
        double[] seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
        duration = meter.CreateHistogram("gateway.request.duration", "s", "From the request's head to the last byte", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        firstToken = meter.CreateHistogram("gateway.time_to_first_token", "s", "From the call to the provider to its first byte", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        overhead = meter.CreateHistogram(
            "gateway.overhead.duration", "s", "What the gateway adds to a request that is not streamed",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5] });
    }

    /// <summary>Adds the gauges, once everything that they look at exists.</summary>
    public void Observe(Spool spool, BudgetLeases leases, RoutingTables tables)
    {
        meter.CreateObservableGauge("gateway.spool.records", () => spool.Records, "{record}", "Usage records that the broker has not confirmed");
        meter.CreateObservableCounter("gateway.spool.disk_failures", () => spool.DiskFailures, "{failure}", "Times that the disk refused the spool");
        meter.CreateObservableGauge("gateway.spool.size", () => spool.Bytes, "By", "Bytes of the spool on disk");
        meter.CreateObservableGauge("gateway.spool.oldest", () => spool.OldestSeconds, "s", "Age of the oldest usage record that the broker has not confirmed");
        meter.CreateObservableGauge("gateway.budget.remaining_ratio", () => Remaining(leases), "1", "What is left of a budget's window, as a part of its limit");
        meter.CreateObservableGauge("gateway.deployment.cooling", () => Cooling(tables), "1", "1 while a deployment rests after failures");
    }

    /// <summary>Counts a request that is over.</summary>
    public void Handled(RequestExchange exchange, TimeProvider time)
    {
        var snapshot = exchange.Caller?.Snapshot;
        var context = exchange.Context;
        totals.Handled(
            new(exchange.Grant?.Group.Name ?? None, exchange.Target?.Provider ?? None, snapshot?.TeamId ?? snapshot?.UserId ?? None, snapshot?.KeyAlias ?? None),
            context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted ? 499 : context.Response.StatusCode,
            exchange.Refusal);
        if (exchange.Target is null)
        {
            return;
        }

        var model = new TagList { { "model", exchange.Grant!.Group.Name }, { "provider", exchange.Target.Provider } };
        var total = exchange.ElapsedMicroseconds(time);
        duration.Record(total / 1e6, model);
        if (exchange.FirstByteMicroseconds > 0)
        {
            firstToken.Record(exchange.FirstByteMicroseconds / 1e6, model);
            if (!exchange.Head.Stream)
            {
                overhead.Record(Math.Max(0, total - exchange.UpstreamMicroseconds) / 1e6);
            }
        }
    }

    /// <summary>Counts what a request used.</summary>
    public void Used(UsageRecord record)
    {
        if (record.Unpriced)
        {
            unpriced.Add(1, new TagList { { "model", record.Model }, { "provider", record.Provider } });
        }

        // A batch is estimated when it is submitted, and so it should be: what counts is whether its end says what it used.
        var submitted = record is { CallType: UsageRecord.BatchCall, Corrects: null };
        if (record.Estimated && !submitted)
        {
            estimated.Add(1, new TagList { { "model", record.Model }, { "provider", record.Provider } });
        }

        if (record.WrittenOff > Money.Zero)
        {
            writtenOff.Add(record.WrittenOff.NanoDollars / (double)Money.NanoDollarsPerDollar, new TagList { { "provider", record.Provider } });
        }

        // The cost is for eyes and alerts: the exact amount is the journal's.
        totals.Used(
            new(record.Model, record.Provider, record.TeamId ?? record.UserId ?? None, record.KeyAlias ?? None),
            record.Tokens.PromptTokens, record.Tokens.CompletionTokens, submitted ? Money.Zero : record.Cost);
    }

    public void AttemptFailed(Deployment target, string failure) =>
        attempts.Add(1, new TagList { { "provider", target.Provider }, { "deployment", target.Id }, { "failure", failure } });

    public void BatchSettled(string model, string status) => batchesSettled.Add(1, new TagList { { "model", model }, { "status", status } });

    public void BatchUnresolved(string model) => batchesUnresolved.Add(1, new TagList { { "model", model } });

    public void LeaseCommand() => leaseCommands.Add(1);

    public void LeaseCommandFailed() => leaseFailures.Add(1);

    public void SpoolPublishFailed() => publishFailures.Add(1);

    // The windows nearest to their end: the list is bounded, whatever the number of budgets.
    private static IEnumerable<Measurement<double>> Remaining(BudgetLeases leases) => leases.All
        .Where(static lease => lease.LastReply is not null && lease.Limit > Money.Zero)
        .Select(static lease => (Lease: lease, Ratio: (double)lease.Remaining.NanoDollars / lease.Limit.NanoDollars))
        .OrderBy(static entry => entry.Ratio)
        .Take(200)
        .Select(static entry => new Measurement<double>(
            entry.Ratio,
            new KeyValuePair<string, object?>("scope", BudgetId.ScopeOf(entry.Lease.Window.BudgetId)),
            new KeyValuePair<string, object?>("owner", OwnerLabel(entry.Lease.Window.BudgetId)),
            new KeyValuePair<string, object?>("period", entry.Lease.Window.Period ?? "")));

    // A key's id is shortened: enough to find it, and no label of 64 characters.
    private static string OwnerLabel(string budgetId) =>
        BudgetId.ScopeOf(budgetId) == BudgetId.KeyScope && BudgetId.OwnerOf(budgetId) is { Length: > 12 } id ? id[..12] : BudgetId.OwnerOf(budgetId);

    private static IEnumerable<Measurement<int>> Cooling(RoutingTables tables) => tables.Loaded is { } table
        ? table.Deployments.Take(500).Select(static deployment => new Measurement<int>(
            deployment.Health.Cooling ? 1 : 0,
            new KeyValuePair<string, object?>("deployment", deployment.Id),
            new KeyValuePair<string, object?>("provider", deployment.Provider)))
        : [];
}
