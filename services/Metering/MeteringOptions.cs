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

    /// <summary>Messages taken from the queue at once: of so many, one transaction is made. More waits in the queue.</summary>
    [Range(1, 1_000)]
    public int Prefetch { get; init; } = 32;

    /// <summary>Rows in one transaction, at most, unless a message has more. One is written at a time: roll-ups are few hot rows.</summary>
    [Range(1, 20_000)]
    public int RowsMaxPerTransaction { get; init; } = 4_000;

    /// <summary>How long messages gather for one transaction while more are coming. The first after a pause is stored at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan GatherFor { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one report may take before it is given up with 503.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ReportTimeMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Exports that run at once; the next one gets 503. Each holds a database connection for as long as its reader takes.</summary>
    [Range(1, 64)]
    public int ConcurrentExports { get; init; } = 4;
}
