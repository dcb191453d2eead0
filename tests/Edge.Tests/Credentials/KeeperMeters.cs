using System.Diagnostics.Metrics;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>What the keeper has measured.</summary>
internal sealed class KeeperMeters : IMeterFactory
{
    private readonly List<Meter> made = [];
    private readonly MeterListener listener = new();
    private readonly Dictionary<string, double> last = [];

    public KeeperMeters()
    {
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (made.Contains(instrument.Meter))
            {
                own.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
    }

    public HashSet<string> Tags { get; } = [];

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        made.Add(meter);
        return meter;
    }

    public double Read(string instrument)
    {
        listener.RecordObservableInstruments();
        return last[instrument];
    }

    public void Dispose()
    {
        listener.Dispose();
        made.ForEach(static meter => meter.Dispose());
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (last)
        {
            last[instrument.Name] = value;
            foreach (var tag in tags)
            {
                Tags.Add($"{tag.Key}={tag.Value}");
            }
        }
    }
}
