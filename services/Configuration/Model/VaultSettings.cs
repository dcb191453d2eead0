namespace Gateway.Configuration;

/// <summary>Where HashiCorp Vault is and as whom it is asked: from the environment, under Vault's own names or LiteLLM's (<c>HCP_VAULT_…</c>).</summary>
public sealed record VaultSettings
{
    /// <summary><c>VAULT_ADDR</c>.</summary>
    public string? Address { get; init; }

    /// <summary><c>VAULT_NAMESPACE</c>.</summary>
    public string? Namespace { get; init; }

    /// <summary><c>VAULT_TOKEN</c>.</summary>
    public Secret? Token { get; init; }

    /// <summary><c>VAULT_TOKEN_FILE</c>: a file that somebody else keeps a valid token in, such as Vault's agent. It is read each time.</summary>
    public string? TokenFile { get; init; }

    /// <summary><c>VAULT_ROLE_ID</c>: AppRole, which goes before a token.</summary>
    public string? RoleId { get; init; }

    /// <summary><c>VAULT_SECRET_ID</c>.</summary>
    public Secret? SecretId { get; init; }

    /// <summary>Where AppRole is mounted (<c>HCP_VAULT_APPROLE_MOUNT_PATH</c>).</summary>
    public string RoleMount { get; init; } = "approle";

    /// <summary>Why Vault cannot be asked, and what to do; null when it can.</summary>
    public string? Problem => this switch
    {
        { Address: null } => "VAULT_ADDR is not set: set it to Vault's address, https://vault.example:8200.",
        { RoleId: not null, SecretId: null } => "VAULT_ROLE_ID is set and VAULT_SECRET_ID is not: set both, or give a token in VAULT_TOKEN or VAULT_TOKEN_FILE.",
        { RoleId: null, Token: null, TokenFile: null } => "Vault has to be told who asks: set VAULT_TOKEN, VAULT_TOKEN_FILE, or VAULT_ROLE_ID and VAULT_SECRET_ID.",
        _ => SecretStoreAddress.Problem("VAULT_ADDR", Address, "https://vault.example:8200"),
    };

    /// <summary>The address, no token.</summary>
    public override string ToString() => $"Vault at {Address}";

    internal static VaultSettings Of(Func<string, string?> variable)
    {
        return new VaultSettings
        {
            Address = Either("VAULT_ADDR", "HCP_VAULT_ADDR")?.TrimEnd('/'),
            Namespace = Either("VAULT_NAMESPACE", "HCP_VAULT_NAMESPACE"),
            Token = Either("VAULT_TOKEN", "HCP_VAULT_TOKEN") is { } token ? new Secret(token, "os.environ/VAULT_TOKEN") : null,
            TokenFile = variable("VAULT_TOKEN_FILE"),
            RoleId = Either("VAULT_ROLE_ID", "HCP_VAULT_APPROLE_ROLE_ID"),
            SecretId = Either("VAULT_SECRET_ID", "HCP_VAULT_APPROLE_SECRET_ID") is { } id ? new Secret(id, "os.environ/VAULT_SECRET_ID") : null,
            RoleMount = variable("HCP_VAULT_APPROLE_MOUNT_PATH") ?? "approle",
        };

        string? Either(string own, string theirs) => variable(own) ?? variable(theirs);
    }
}
