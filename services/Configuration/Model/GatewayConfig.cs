using Gateway.Pricing;

namespace Gateway.Configuration;

/// <summary>What happens to a request whose model has no price.</summary>
public enum UnpricedModels
{
    /// <summary>It is answered, and flagged in metrics and reports.</summary>
    Flag,

    /// <summary>It is answered.</summary>
    Allow,

    /// <summary>It is refused.</summary>
    Refuse,
}

/// <summary>A whole configuration, checked. Immutable.</summary>
public sealed record GatewayConfig
{
    /// <summary>The file it was read from.</summary>
    public required string FileName { get; init; }

    /// <summary>16 hexadecimal digits that change with the file or the price file that it names: which version is in force.</summary>
    public required string Version { get; init; }

    /// <summary><c>model_list</c>, in its order. Several of one <see cref="ModelDeployment.ModelName"/> share the load.</summary>
    public IReadOnlyList<ModelDeployment> Models { get; init; } = [];

    /// <summary><c>credential_list</c>, by name.</summary>
    public IReadOnlyDictionary<string, NamedCredential> Credentials { get; init; } = new Dictionary<string, NamedCredential>();

    /// <summary>Where Vault is; of meaning only where a credential is kept there.</summary>
    public VaultSettings Vault { get; init; } = new();

    /// <summary>The same of AWS Secrets Manager.</summary>
    public AwsSecretsSettings AwsSecrets { get; init; } = new();

    /// <summary>The same of Google Secret Manager.</summary>
    public GoogleSecretsSettings GoogleSecrets { get; init; } = new();

    /// <summary>The same of Azure Key Vault.</summary>
    public AzureSecretsSettings AzureSecrets { get; init; } = new();

    /// <summary><c>router_settings</c>.</summary>
    public RouterSettings Router { get; init; } = new();

    /// <summary><c>general_settings</c>.</summary>
    public GeneralSettings General { get; init; } = new();

    /// <summary><c>litellm_settings</c>.</summary>
    public LiteLlmSettings LiteLlm { get; init; } = new();

    /// <summary><c>user_access</c>.</summary>
    public IReadOnlyList<UserAccess> UserAccess { get; init; } = [];

    /// <summary><c>unpriced_models</c>.</summary>
    public UnpricedModels UnpricedModels { get; init; }

    /// <summary>The IANA time zone that budgets with a period are aligned to (<c>timezone</c>).</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>The built-in prices, with those of <see cref="GeneralSettings.PriceFile"/> over them.</summary>
    public PriceCatalogue Prices { get; init; } = PriceCatalogue.BuiltIn;

    /// <summary>What <paramref name="deployment"/> costs, its own stated prices first; null when it has no price (see <see cref="UnpricedModels"/>).</summary>
    /// <param name="deployment">One of <see cref="Models"/>.</param>
    /// <param name="providerModel">The provider's name of the model, for a pattern that was filled; null for the deployment's own.</param>
    public ModelPrice? PriceOf(ModelDeployment deployment, string? providerModel = null) =>
        Prices.Find(deployment.Provider, providerModel ?? deployment.ProviderModel, deployment.BaseModel, deployment.Price);
}
