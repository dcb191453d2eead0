using System.ComponentModel.DataAnnotations;

namespace Gateway.Metering;

/// <summary>Section <c>Metering</c>.</summary>
internal sealed class MeteringOptions
{
    public const string Section = "Metering";

    /// <summary>How many days of single requests are kept. Roll-ups stay. A shorter value frees disk at the next run of the job.</summary>
    [Range(1, 3_650)]
    public int RetentionDays { get; init; } = 400;

    /// <summary>How often days are made ahead and old ones dropped.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetentionEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Messages that wait in this process for their turn. More waits in the queue.</summary>
    [Range(1, 1_000)]
    public int Prefetch { get; init; } = 8;

    /// <summary>Messages written at once by this process. Roll-ups are few hot rows, so more than a few only wait for each other.</summary>
    [Range(1, 64)]
    public int ConcurrentBatches { get; init; } = 2;

    /// <summary>How long one report may take before it is given up with 503.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ReportTimeMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Exports that run at once; the next one gets 503. Each holds a database connection for as long as its reader takes.</summary>
    [Range(1, 64)]
    public int ConcurrentExports { get; init; } = 4;
}
