using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>A file at a provider that came through the gateway: whose it is, and where it lies.</summary>
public sealed record ProviderFile
{
    /// <summary>The gateway's id: <c>file-gw</c> and 32 hexadecimal digits. Clients see no other.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is: <c>team/…</c>, <c>user/…</c> or <c>key/…</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>The public name of the model that it was sent for.</summary>
    public required string Model { get; init; }

    /// <summary>The deployment whose provider has it.</summary>
    public required string DeploymentId { get; init; }

    /// <summary>The provider's id of it.</summary>
    public required string ProviderId { get; init; }

    /// <summary>OpenAI's purpose: <c>batch</c>, <c>batch_output</c>, <c>user_data</c>, …</summary>
    public required string Purpose { get; init; }

    /// <summary>The name that its owner gave it.</summary>
    public required string Filename { get; init; }

    /// <summary>Its size.</summary>
    public long Bytes { get; init; }

    /// <summary>When it came.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the provider deletes it; null for never, as far as is known.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What the lines of a batch's input ask for; null for every other file.</summary>
    public BatchLines? Lines { get; init; }
}

/// <summary>What was counted of a batch's input while it was read.</summary>
/// <param name="Endpoint">What every line asks for: <c>/v1/chat/completions</c>.</param>
/// <param name="Count">How many lines there are.</param>
/// <param name="BodyBytes">Bytes of all bodies together.</param>
/// <param name="WorstCase">The most that they can cost: what a batch of them reserves.</param>
public sealed record BatchLines(string Endpoint, int Count, long BodyBytes, Money WorstCase);

/// <summary>How far the gateway is with a batch. The provider's own status is another matter.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BatchState>))]
public enum BatchState
{
    /// <summary>On its way to the provider. One that stays so was on its way when its edge died, or no answer came: the provider is asked whether it has it.</summary>
    Submitting,

    /// <summary>The provider has it, and its estimate is charged.</summary>
    Open,

    /// <summary>It is over, and charged what it cost: nothing, if the provider never had it.</summary>
    Settled,

    /// <summary>What it cost could not be learned: it stays charged at its estimate, for a person to look at.</summary>
    Unresolved,
}

/// <summary>A batch that came through the gateway.</summary>
public sealed record ProviderBatch
{
    /// <summary>The gateway's id: <c>batch_</c> and 32 hexadecimal digits. Clients see no other.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is: its input file's owner.</summary>
    public required string Owner { get; init; }

    /// <summary>The public name of its model.</summary>
    public required string Model { get; init; }

    /// <summary>The deployment whose provider runs it.</summary>
    public required string DeploymentId { get; init; }

    /// <summary>The provider's id of it; null while it is on its way there.</summary>
    public string? ProviderId { get; init; }

    /// <summary>The gateway's id of its input.</summary>
    public required string InputFileId { get; init; }

    /// <summary>What its input asks for.</summary>
    public required BatchLines Lines { get; init; }

    /// <summary>How far it is.</summary>
    public BatchState State { get; init; }

    /// <summary>The usage record of its submission: the estimate is its cost. Written down before the provider is called, so that no edge's death loses it.</summary>
    public required UsageRecord Submission { get; init; }

    /// <summary>The provider's last word on it as its owner sees it: OpenAI's batch object, with the gateway's ids.</summary>
    public string? Answer { get; init; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What becomes of a batch (<c>POST /internal/batches/{id}</c>): what is null stays as it is, and what is settled stays settled.</summary>
/// <param name="State">How far it is now.</param>
/// <param name="ProviderId">The provider's id.</param>
/// <param name="Answer">The provider's last word.</param>
public sealed record BatchChange(BatchState? State = null, string? ProviderId = null, string? Answer = null);

/// <summary>Asks for batches to look at (<c>POST /internal/batches/claim</c>): each is given to one edge until its next time.</summary>
/// <param name="Most">How many at most.</param>
/// <param name="Next">After how long they may be given to the next edge.</param>
/// <param name="Id">Only this one, whether its time has come or not; null for those whose time has come.</param>
public sealed record ClaimBatches(int Most, TimeSpan Next, string? Id = null);

/// <summary>The JSON of files and batches between edge and Ledger.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProviderFile))]
[JsonSerializable(typeof(ProviderFile[]))]
[JsonSerializable(typeof(ProviderBatch))]
[JsonSerializable(typeof(ProviderBatch[]))]
[JsonSerializable(typeof(BatchChange))]
[JsonSerializable(typeof(ClaimBatches))]
public sealed partial class BatchesJson : JsonSerializerContext;
