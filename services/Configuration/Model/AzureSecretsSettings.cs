namespace Gateway.Configuration;

/// <summary>Where Azure Key Vault is and who asks it: from the environment, under the names of Microsoft's own tools, which are LiteLLM's too.</summary>
public sealed record AzureSecretsSettings
{
    /// <summary><c>AZURE_KEY_VAULT_URI</c>.</summary>
    public string? Address { get; init; }

    /// <summary><c>AZURE_AUTHORITY_HOST</c>: where an application gets its tokens.</summary>
    public string Authority { get; init; } = "https://login.microsoftonline.com";

    /// <summary><c>AZURE_TENANT_ID</c>.</summary>
    public string? TenantId { get; init; }

    /// <summary><c>AZURE_CLIENT_ID</c>: the application, or which of a machine's identities asks.</summary>
    public string? ClientId { get; init; }

    /// <summary><c>AZURE_CLIENT_SECRET</c>.</summary>
    public Secret? ClientSecret { get; init; }

    /// <summary><c>AZURE_FEDERATED_TOKEN_FILE</c>: what a pod proves itself with instead of a secret (AKS workload identity). It is read each time.</summary>
    public string? FederatedTokenFile { get; init; }

    /// <summary><c>IDENTITY_ENDPOINT</c>: where an app of App Service or Container Apps gets the tokens of its identity.</summary>
    public string? IdentityAddress { get; init; }

    /// <summary><c>IDENTITY_HEADER</c>: what it sends there to be let in.</summary>
    public Secret? IdentityHeader { get; init; }

    /// <summary><c>AZURE_POD_IDENTITY_AUTHORITY_HOST</c>: where a machine gets the tokens of its identity.</summary>
    public string MachineAddress { get; init; } = "http://169.254.169.254";

    /// <summary>Whether an application asks, and not the identity of the machine.</summary>
    public bool IsApplication => ClientSecret is not null || FederatedTokenFile is not null;

    /// <summary>Why it cannot be asked, and what to do; null when it can.</summary>
    public string? Problem => this switch
    {
        { Address: null } => "AZURE_KEY_VAULT_URI is not set: set it to the vault's address, https://NAME.vault.azure.net.",
        { IsApplication: true, TenantId: null } or { IsApplication: true, ClientId: null } => "an application asks Azure Key Vault: set AZURE_TENANT_ID and AZURE_CLIENT_ID as well.",
        { IdentityAddress: not null, IdentityHeader: null } => "IDENTITY_ENDPOINT is set and IDENTITY_HEADER is not: set both, or set AZURE_CLIENT_SECRET.",
        _ => SecretStoreAddress.Problem("AZURE_KEY_VAULT_URI", Address, "https://NAME.vault.azure.net")
            ?? SecretStoreAddress.Problem("AZURE_AUTHORITY_HOST", Authority, "https://login.microsoftonline.com")
            ?? SecretStoreAddress.Problem("IDENTITY_ENDPOINT", IdentityAddress, "http://localhost:42356/msi/token")
            ?? SecretStoreAddress.Problem("AZURE_POD_IDENTITY_AUTHORITY_HOST", MachineAddress, "http://169.254.169.254"),
    };

    /// <summary>The address, no secret.</summary>
    public override string ToString() => $"Azure Key Vault at {Address}";

    internal static AzureSecretsSettings Of(Func<string, string?> variable)
    {
        var otherwise = new AzureSecretsSettings();
        return new AzureSecretsSettings
        {
            Address = variable("AZURE_KEY_VAULT_URI")?.TrimEnd('/'),
            Authority = variable("AZURE_AUTHORITY_HOST")?.TrimEnd('/') ?? otherwise.Authority,
            TenantId = variable("AZURE_TENANT_ID"),
            ClientId = variable("AZURE_CLIENT_ID"),
            ClientSecret = Secret.OfVariable(variable, "AZURE_CLIENT_SECRET"),
            FederatedTokenFile = variable("AZURE_FEDERATED_TOKEN_FILE"),
            IdentityAddress = variable("IDENTITY_ENDPOINT"),
            IdentityHeader = Secret.OfVariable(variable, "IDENTITY_HEADER"),
            MachineAddress = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST")?.TrimEnd('/') ?? otherwise.MachineAddress,
        };
    }
}
