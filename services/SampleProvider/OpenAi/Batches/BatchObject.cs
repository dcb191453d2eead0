using System.Text.Json.Serialization;
using Gateway.SampleProvider.OpenAi.Files;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>OpenAI's <c>batch</c> (https://platform.openai.com/docs/api-reference/batch/object). All times are Unix seconds.</summary>
internal sealed record BatchObject : IListed
{
    public required string Id { get; init; }

    public string Object { get; } = "batch";

    public required string Endpoint { get; init; }

    public string? Model { get; init; }

    public BatchErrors? Errors { get; init; }

    public required string InputFileId { get; init; }

    public string CompletionWindow { get; } = "24h";

    public string Status { get; init; } = BatchStatus.Validating;

    public string? OutputFileId { get; init; }

    public string? ErrorFileId { get; init; }

    public required long CreatedAt { get; init; }

    public long? InProgressAt { get; init; }

    public required long ExpiresAt { get; init; }

    public long? FinalizingAt { get; init; }

    public long? CompletedAt { get; init; }

    public long? FailedAt { get; init; }

    public long? ExpiredAt { get; init; }

    public long? CancellingAt { get; init; }

    public long? CancelledAt { get; init; }

    public RequestCounts RequestCounts { get; init; } = new(0, 0, 0);

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BatchUsage? Usage { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }
}

internal static class BatchStatus
{
    public const string Validating = "validating";
    public const string InProgress = "in_progress";
    public const string Finalizing = "finalizing";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Expired = "expired";
    public const string Cancelling = "cancelling";
    public const string Cancelled = "cancelled";
}

internal sealed record RequestCounts(int Total, int Completed, int Failed);

/// <summary>Why a batch failed before its first request.</summary>
internal sealed record BatchErrors(BatchError[] Data)
{
    public string Object { get; } = "list";
}

/// <param name="Line">The line of the input file, the first is 1.</param>
internal sealed record BatchError(string Code, string Message, string? Param = null, int? Line = null);

internal sealed record BatchUsage(
    long InputTokens, BatchInputDetails InputTokensDetails, long OutputTokens, BatchOutputDetails OutputTokensDetails, long TotalTokens);

internal sealed record BatchInputDetails(long CachedTokens);

internal sealed record BatchOutputDetails(long ReasoningTokens);
