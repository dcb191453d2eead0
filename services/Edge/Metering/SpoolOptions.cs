using System.ComponentModel.DataAnnotations;

namespace Gateway.Edge.Metering;

/// <summary>The spool of usage records. Section <c>Gateway:Spool</c>.</summary>
internal sealed class SpoolOptions
{
    /// <summary>How often what was written is brought to the disk itself: what a power cut can lose. A killed process loses nothing.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Bytes on disk at which the edge refuses new requests (503) rather than forget what they cost.</summary>
    [Range(1L << 20, 1L << 40)]
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>A segment of this size is closed and a new one begun.</summary>
    [Range(1 << 16, 1 << 28)]
    public int SegmentBytes { get; init; } = 8 << 20;

    /// <summary>How long records may gather for one message while more are coming. The first after a pause is sent at once, and so is a full message.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The most records in one message.</summary>
    [Range(1, 10_000)]
    public int BatchRecordsMax { get; init; } = 1_000;

    /// <summary>How long SIGTERM waits for the broker to confirm what is left; the rest is sent at the next start.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often an edge looks beside its own folder for one that a replica left when it died, and sends what is there. A living process holds
    /// its folder, so there is nothing to wait for but that replicas which are started together each take one of their own first, and that
    /// nobody is still copying it in: it is taken when it is as it was at the last look and nothing was written in it for three seconds. What a
    /// dead edge held of budgets is free again only when its records were sent.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan AdoptAfter { get; init; } = TimeSpan.FromSeconds(2);
}
