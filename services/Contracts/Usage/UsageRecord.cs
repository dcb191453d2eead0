using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>How a request that reached a provider ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UsageOutcome>))]
public enum UsageOutcome
{
    /// <summary>The whole answer reached the client's connection.</summary>
    Completed,

    /// <summary>The client went away; charged for what was produced.</summary>
    ClientClosed,

    /// <summary>The provider broke off after the first byte; charged for what was produced.</summary>
    UpstreamCut,

    /// <summary>No target answered: nothing was charged.</summary>
    Failed,

    /// <summary>The money ended in mid-stream, or nobody could say whether there was more; charged for what was produced.</summary>
    BudgetExhausted,
}

/// <summary>
/// Tokens of one request, each counted in exactly one class: cached input is not part of <see cref="Input"/>, reasoning and audio are not
/// part of <see cref="Output"/>.
/// </summary>
public sealed record TokenUsage
{
    /// <summary>No tokens.</summary>
    public static readonly TokenUsage None = new();

    /// <summary>Text (and image) tokens read, without cached and audio ones.</summary>
    public long Input { get; init; }

    /// <summary>Input tokens that the provider had cached.</summary>
    public long CachedInput { get; init; }

    /// <summary>Input tokens written to a cache that lives for 5 minutes (or for the provider's default).</summary>
    public long CacheWrite5m { get; init; }

    /// <summary>Input tokens written to a cache that lives for an hour.</summary>
    public long CacheWrite1h { get; init; }

    /// <summary>Audio tokens read.</summary>
    public long InputAudio { get; init; }

    /// <summary>Tokens written, without reasoning and audio ones.</summary>
    public long Output { get; init; }

    /// <summary>Tokens spent on reasoning.</summary>
    public long Reasoning { get; init; }

    /// <summary>Audio tokens written.</summary>
    public long OutputAudio { get; init; }

    /// <summary>Images made.</summary>
    public long Images { get; init; }

    /// <summary>Everything read: what OpenAI calls <c>prompt_tokens</c>.</summary>
    [JsonIgnore]
    public long PromptTokens => Input + CachedInput + CacheWrite5m + CacheWrite1h + InputAudio;

    /// <summary>Everything written: what OpenAI calls <c>completion_tokens</c>.</summary>
    [JsonIgnore]
    public long CompletionTokens => Output + Reasoning + OutputAudio;

    /// <summary>Both together, class by class.</summary>
    public static TokenUsage operator +(TokenUsage one, TokenUsage other) => new()
    {
        Input = one.Input + other.Input,
        CachedInput = one.CachedInput + other.CachedInput,
        CacheWrite5m = one.CacheWrite5m + other.CacheWrite5m,
        CacheWrite1h = one.CacheWrite1h + other.CacheWrite1h,
        InputAudio = one.InputAudio + other.InputAudio,
        Output = one.Output + other.Output,
        Reasoning = one.Reasoning + other.Reasoning,
        OutputAudio = one.OutputAudio + other.OutputAudio,
        Images = one.Images + other.Images,
    };
}

/// <summary>One attempt that did not give the answer.</summary>
/// <param name="DeploymentId">The target.</param>
/// <param name="Failure">What went wrong: one of a small closed set, such as <c>timeout</c>, <c>connection</c>, <c>status_500</c>.</param>
public sealed record FailedAttempt(string DeploymentId, string Failure);

/// <summary>
/// What one request used and cost: written to the edge's spool before the request's last byte leaves, journaled by Ledger, stored by
/// Metering. It names people and models and never contains a key, a prompt or an answer. Fields are only added.
/// </summary>
public sealed record UsageRecord
{
    /// <summary>
    /// The <see cref="CallType"/> of a batch, which has two records: its estimate when it is handed in, and when it is done a correction
    /// (<see cref="Corrects"/>) with what it used.
    /// </summary>
    public const string BatchCall = "batch";

    /// <summary>Made by the edge (UUID version 7): the idempotency key of everything that follows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required Guid RequestId { get; init; }

    /// <summary>When the edge had read the request's head.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Until the last byte, in microseconds.</summary>
    public long DurationMicroseconds { get; init; }

    /// <summary>Until the first byte of the provider's answer, in microseconds; 0 when there was none.</summary>
    public long FirstByteMicroseconds { get; init; }

    /// <summary>
    /// The edge process that served it (an id made at its start): the holder of the leases that it was charged to. Empty where no lease was
    /// charged: then it counts in the windows alone.
    /// </summary>
    public required string EdgeId { get; init; }

    /// <summary>The surface called: <c>chat_completion</c>, <c>embedding</c>, … (LiteLLM's <c>call_type</c>).</summary>
    public required string CallType { get; init; }

    /// <summary>The caller's key: <see cref="AccessSnapshot.KeyId"/>.</summary>
    public required string KeyId { get; init; }

    /// <summary>The key's alias.</summary>
    public string? KeyAlias { get; init; }

    /// <summary>The key's user.</summary>
    public string? UserId { get; init; }

    /// <summary>The key's team.</summary>
    public string? TeamId { get; init; }

    /// <summary>The key's organization.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The end user that the caller named.</summary>
    public string? EndUser { get; init; }

    /// <summary>The request's tags.</summary>
    public string[] Tags { get; init => field = value ?? []; } = [];

    /// <summary>The public model name asked for (LiteLLM's <c>model_group</c>).</summary>
    public required string Model { get; init; }

    /// <summary>The deployment that answered, or the last that was tried.</summary>
    public required string DeploymentId { get; init; }

    /// <summary>Its provider.</summary>
    public required string Provider { get; init; }

    /// <summary>The provider's name of the model.</summary>
    public required string ProviderModel { get; init; }

    /// <summary>The credential that it was called with, by name and never the value: of the configuration's list, else where it comes from.</summary>
    public string? Credential { get; init; }

    /// <summary>The status that the client saw; 499 when it had left before one was sent.</summary>
    public int Status { get; init; }

    /// <summary>How it ended.</summary>
    public UsageOutcome Outcome { get; init; }

    /// <summary>Whether the answer was streamed to the client.</summary>
    public bool Streamed { get; init; }

    /// <summary>The tokens.</summary>
    public TokenUsage Tokens { get; init => field = value ?? TokenUsage.None; } = TokenUsage.None;

    /// <summary>Whether the tokens were counted here because the provider did not report them.</summary>
    public bool Estimated { get; init; }

    /// <summary>Whether the model had no price: the cost is then 0 and the report says so.</summary>
    public bool Unpriced { get; init; }

    /// <summary>The cost, rounded once. Below zero only where <see cref="Corrects"/> takes back what was booked too much.</summary>
    public Money Cost { get; init; }

    /// <summary>
    /// The record that this one corrects: <see cref="Cost"/> is then the difference, on the same windows and at the same
    /// <see cref="StartedAt"/>, and is charged to no edge's lease.
    /// </summary>
    public Guid? Corrects { get; init; }

    /// <summary>
    /// What the provider produced beyond the last nano-dollar of a budget: at most the last piece of a request that was watched to the end
    /// of its money. It is not part of <see cref="Cost"/> and charged to nobody; the provider's bill has it. Zero for all other requests.
    /// </summary>
    public Money WrittenOff { get; init; }

    /// <summary>The price used, as text that a person can check: <c>openai/gpt-4@2026-11 input=30 output=60</c>.</summary>
    public string? Price { get; init; }

    /// <summary>The budget windows charged (<see cref="BudgetWindow.Id"/>), each with the whole <see cref="Cost"/>.</summary>
    public string[] BudgetWindows { get; init => field = value ?? []; } = [];

    /// <summary>Attempts before the one that is charged here; null when there were none.</summary>
    public FailedAttempt[]? FailedAttempts { get; init; }
}
