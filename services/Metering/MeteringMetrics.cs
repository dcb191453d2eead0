using System.Diagnostics.Metrics;

namespace Gateway.Metering;

/// <summary>Meter <c>Gateway.Metering</c>.</summary>
internal sealed class MeteringMetrics : IDisposable
{
    public const string MeterName = "Gateway.Metering";

    private readonly Meter meter;
    private readonly Counter<long> records;
    private readonly Counter<long> retries;
    private readonly Counter<long> poisoned;
    private readonly Counter<long> rejected;
    private readonly Histogram<double> batchDuration;
    private readonly Histogram<double> delay;
    private readonly Counter<long> partitionsDropped;
    private int underWay;

    public MeteringMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MeterName);
        records = meter.CreateCounter<long>("gateway.metering.records", "{record}", "Usage records taken from the queue; result: stored or duplicate.");
        retries = meter.CreateCounter<long>("gateway.metering.retries", "{retry}", "Writes tried again; reason: database (down: tried without end) or unexpected (bounded).");
        poisoned = meter.CreateCounter<long>("gateway.metering.poisoned", "{message}", "Messages given up and moved to metering-usage_error: they wait there for a person.");
        rejected = meter.CreateCounter<long>("gateway.metering.rejected", "{record}", "Records set aside because nothing could be made of them, or the database refused them.");
        batchDuration = meter.CreateHistogram<double>(
            "gateway.metering.batch.duration", "s", "Time to write one message of records.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
        delay = meter.CreateHistogram<double>(
            "gateway.metering.delay", "s", "Age of a message's newest record when it is stored: how late reports are.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600] });
        meter.CreateObservableGauge("gateway.metering.backlog", () => Waiting, "{message}", "Messages that wait in the queue metering-usage, as this process saw it last.");
        partitionsDropped = meter.CreateCounter<long>("gateway.metering.partitions.dropped", "{partition}", "Days dropped because they are older than the retention.");
    }

    /// <summary>Messages in the queue.</summary>
    public long Waiting { get; set; }

    /// <summary>Messages that this process is writing.</summary>
    public int UnderWay => Volatile.Read(ref underWay);

    public void Began() => Interlocked.Increment(ref underWay);

    public void Ended() => Interlocked.Decrement(ref underWay);

    public void Stored(long stored, long duplicates, TimeSpan duration, TimeSpan age)
    {
        records.Add(stored, new KeyValuePair<string, object?>("result", "stored"));
        records.Add(duplicates, new KeyValuePair<string, object?>("result", "duplicate"));
        batchDuration.Record(duration.TotalSeconds);
        delay.Record(Math.Max(0, age.TotalSeconds));
    }

    public void Retried(string reason) => retries.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Poisoned() => poisoned.Add(1);

    public void Rejected(string reason) => rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dropped(int partitions) => partitionsDropped.Add(partitions);

    public void Dispose() => meter.Dispose();
}
