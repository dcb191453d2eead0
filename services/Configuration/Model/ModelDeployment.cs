using Gateway.Contracts;
using Gateway.Pricing;

namespace Gateway.Configuration;

/// <summary>One entry of <c>model_list</c>: a model of a provider, under a public name.</summary>
public sealed record ModelDeployment
{
    /// <summary>The public name; may be a pattern (<c>*</c>, <c>anthropic/*</c>).</summary>
    public required string ModelName { get; init; }

    /// <summary><c>model_info.id</c>, else a hash of name and parameters that stays the same until they change.</summary>
    public required string DeploymentId { get; init; }

    /// <summary>The provider, one of <see cref="ProviderCatalogue"/>: <c>openai</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>The provider's name of the model: <c>gpt-4</c>; for a pattern it contains <c>*</c>, which stands for what the public name's did.</summary>
    public required string ProviderModel { get; init; }

    /// <summary>The protocol to speak, from the provider: <c>openai</c>, <c>anthropic</c>, …</summary>
    public required ProviderProtocol Protocol { get; init; }

    /// <summary>Where the provider is: <c>api_base</c>, else the provider's own; without a slash at its end. Null for the sample provider and clouds that make it from a region.</summary>
    public string? ApiBase { get; init; }

    /// <summary>Whether <see cref="ApiBase"/> was stated (and not the provider's own).</summary>
    public bool ApiBaseIsStated { get; init; }

    /// <summary>The credential; null when none is to be sent.</summary>
    public Secret? ApiKey { get; init; }

    /// <summary>The environment variable that <see cref="ApiKey"/> came from, or should have come from.</summary>
    public string? ApiKeyVariable { get; init; }

    /// <summary>What reports call the credential: its name in <c>credential_list</c>, else where it comes from; null when none is sent.</summary>
    public string? CredentialName { get; init; }

    /// <summary>Every secret that a call needs.</summary>
    public IEnumerable<Secret> Secrets => NamedCredential.SecretsOf(ApiKey, Aws, Vertex);

    /// <summary>Whether the sample provider answers, because the credential is missing (in Development only).</summary>
    public bool UsesSampleProvider { get; init; }

    /// <summary><c>api_version</c> (Azure).</summary>
    public string? ApiVersion { get; init; }

    /// <summary><c>organization</c> (OpenAI).</summary>
    public string? Organization { get; init; }

    /// <summary><c>extra_headers</c>: sent with each request. May hold credentials: not for logs.</summary>
    public IReadOnlyDictionary<string, string> ExtraHeaders { get; init; } = new Dictionary<string, string>();

    /// <summary>The share of <c>simple-shuffle</c>.</summary>
    public decimal? Weight { get; init; }

    /// <summary>Lower ones are tried first.</summary>
    public int? Order { get; init; }

    /// <summary>Requests per minute that the deployment takes.</summary>
    public long? Rpm { get; init; }

    /// <summary>Tokens per minute that the deployment takes.</summary>
    public long? Tpm { get; init; }

    /// <summary>Requests at once that the deployment takes.</summary>
    public int? MaxParallelRequests { get; init; }

    /// <summary>For the whole call; null: the router's.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Until the first chunk of a stream; null: the router's.</summary>
    public TimeSpan? StreamTimeout { get; init; }

    /// <summary>How long it rests after it failed; null: the router's.</summary>
    public TimeSpan? CooldownTime { get; init; }

    /// <summary>Tries again on this deployment; null: the router's.</summary>
    public int? NumRetries { get; init; }

    /// <summary>Tags for tag routing.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The deployment's own budget.</summary>
    public Money? MaxBudget { get; init; }

    /// <summary>Its period.</summary>
    public string? BudgetDuration { get; init; }

    /// <summary>Whether fields that the provider does not know are left out instead of refused; null: <see cref="LiteLlmSettings.DropParams"/>.</summary>
    public bool? DropParams { get; init; }

    /// <summary>A fixed answer: no provider is called.</summary>
    public string? MockResponse { get; init; }

    /// <summary>What it is for: <c>chat</c>, <c>embedding</c>, … ; default <c>chat</c>, or what the price catalogue says.</summary>
    public string Mode { get; init; } = "chat";

    /// <summary>The model whose price and window it has, and which tells what it takes (<c>azure/gpt-4o</c> for an Azure deployment's own name).</summary>
    public string? BaseModel { get; init; }

    /// <summary>The most tokens that it writes; null: the catalogue's.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The most tokens that it reads; null: the catalogue's.</summary>
    public int? MaxInputTokens { get; init; }

    /// <summary>Prices stated for this deployment; null for none.</summary>
    public PriceOverride? Price { get; init; }

    /// <summary>Credentials and region of Amazon Bedrock; null for other providers.</summary>
    public AwsSettings? Aws { get; init; }

    /// <summary>Project, location and credentials of Google Vertex AI; null for other providers.</summary>
    public VertexSettings? Vertex { get; init; }

    /// <summary>Whether the public name is a pattern.</summary>
    public bool IsPattern => ModelName.Contains('*', StringComparison.Ordinal);

    /// <summary>Names, no credentials.</summary>
    public override string ToString() => $"{ModelName} -> {Provider}/{ProviderModel} ({DeploymentId})";
}

/// <summary>Where and as whom to call Amazon Bedrock.</summary>
/// <param name="Region"><c>aws_region_name</c>.</param>
/// <param name="AccessKeyId"><c>aws_access_key_id</c>.</param>
/// <param name="SecretAccessKey"><c>aws_secret_access_key</c>.</param>
/// <param name="SessionToken"><c>aws_session_token</c>.</param>
public sealed record AwsSettings(string? Region, Secret? AccessKeyId, Secret? SecretAccessKey, Secret? SessionToken);

/// <summary>Where and as whom to call Google Vertex AI.</summary>
/// <param name="Project"><c>vertex_project</c>.</param>
/// <param name="Location"><c>vertex_location</c>.</param>
/// <param name="Credentials"><c>vertex_credentials</c>: the path of a service account's file, or its JSON.</param>
public sealed record VertexSettings(string? Project, string? Location, Secret? Credentials);
