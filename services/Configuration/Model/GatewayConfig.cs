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

    /// <summary>The first 16 hexadecimal digits of the file's SHA-256: which version of it is in force.</summary>
    public required string Version { get; init; }

    /// <summary><c>model_list</c>, in its order. Several of one <see cref="ModelDeployment.ModelName"/> share the load.</summary>
    public IReadOnlyList<ModelDeployment> Models { get; init; } = [];

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
}
