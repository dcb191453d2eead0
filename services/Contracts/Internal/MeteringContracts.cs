using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>What pricing a request anew needs of its row (<c>GET /internal/usage/rows</c>, in the order of time).</summary>
/// <param name="RequestId">The request.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Provider">Who answered it.</param>
/// <param name="ProviderModel">The provider's name of the model.</param>
/// <param name="Tokens">What it used.</param>
/// <param name="Price">The price it was charged at; null when there was none.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="CallType">What was asked for.</param>
public sealed record UsageToPrice(
    Guid RequestId, DateTimeOffset StartedAt, string Provider, string ProviderModel, TokenUsage Tokens, string? Price, UsageOutcome Outcome, string CallType);

/// <summary>What a provider's model used on a day in UTC (<c>GET /internal/usage/daily</c>).</summary>
/// <param name="Day">The day.</param>
/// <param name="Model">The provider's name of the model.</param>
/// <param name="Requests">Requests.</param>
/// <param name="Prompt">Everything read: input, cached input, cache writes, audio.</param>
/// <param name="Cached">Of that, what the provider had cached.</param>
/// <param name="CacheWrite">Of that, what was written to a cache.</param>
/// <param name="Completion">Everything written, reasoning and audio included.</param>
/// <param name="Cost">What was charged for it.</param>
public sealed record DailyUsage(DateOnly Day, string Model, long Requests, long Prompt, long Cached, long CacheWrite, long Completion, Money Cost);

/// <summary>The JSON of what Ledger asks Metering.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<UsageToPrice>))]
[JsonSerializable(typeof(List<DailyUsage>))]
public sealed partial class MeteringJson : JsonSerializerContext;
