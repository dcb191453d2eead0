using System.Diagnostics.Metrics;

namespace Gateway.Auth;

/// <summary>What Auth counts. No key, user or team is a tag: their number has no bound.</summary>
internal sealed class AuthMetrics : IDisposable
{
    private readonly Meter meter;
    private readonly Histogram<double> resolved;
    private readonly Counter<long> hashedAnew;
    private readonly UpDownCounter<long> readers;
    private readonly Counter<long> synchronizations;

    public AuthMetrics(IMeterFactory meters)
    {
        meter = meters.Create("Gateway.Auth");
        resolved = meter.CreateHistogram<double>(
            "gateway.auth.resolve.duration", "s", "Time to answer whose a key is, by outcome: active, blocked, expired, master, unknown, failed.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5] });
        hashedAnew = meter.CreateCounter<long>("gateway.auth.keys.rehashed", "{key}", "Keys that moved from an older pepper to the current one.");
        readers = meter.CreateUpDownCounter<long>("gateway.auth.change.readers", "{reader}", "Edges that follow the changes of access.");
        synchronizations = meter.CreateCounter<long>("gateway.auth.config.syncs", "{sync}", "Times that config.yaml was put in force, by outcome: done, refused.");
    }

    public void Resolved(string outcome, TimeSpan duration) => resolved.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));

    public void HashedAnew() => hashedAnew.Add(1);

    public void ReaderConnected() => readers.Add(1);

    public void ReaderLeft() => readers.Add(-1);

    public void Synchronized(string outcome) => synchronizations.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Dispose() => meter.Dispose();
}
