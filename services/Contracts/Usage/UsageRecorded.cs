namespace Gateway.Contracts;

/// <summary>
/// Tells Ledger and Metering of requests served: one message is a batch of an edge's spool. Delivered at least once; a consumer that has
/// seen a <see cref="UsageRecord.RequestId"/> skips it.
/// </summary>
public sealed record UsageRecorded
{
    /// <summary>The edge process that sends it. It may send records of an earlier process that was killed.</summary>
    public required string EdgeId { get; init; }

    /// <summary>How many records <see cref="Records"/> holds.</summary>
    public required int Count { get; init; }

    /// <summary>The records, one UTF-8 JSON object a line (<see cref="ContractsJson"/>), packed as <see cref="Packing"/> says. Read with <see cref="UsageBatch"/>.</summary>
    public required byte[] Records { get; init; }

    /// <summary>How <see cref="Records"/> is packed: <see cref="UsageBatch.Zlib"/>, or null for not at all.</summary>
    public string? Packing { get; init; }
}
