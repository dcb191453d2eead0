using Gateway.Configuration.Schema;

namespace Gateway.Configuration.Reading;

/// <summary>Reads <c>key_management_system</c>: LiteLLM's way to say that <c>os.environ/NAME</c> may stand in a store.</summary>
internal static class KeyManagement
{
    public static void Read(Section? general, Findings findings)
    {
        if (general is null)
        {
            return;
        }

        var settings = general.Child("key_management_settings", ConfigSchema.KeyManagementSettings);
        var hosted = settings?.Texts("hosted_keys");
        var primary = settings?.Text("primary_secret_name");
        if (general.Text("key_management_system") is not { } system)
        {
            return;
        }

        if (PlaceOf(system, primary, findings) is not { } place)
        {
            findings.Error(
                general.Value("key_management_system")!, general.PathOf("key_management_system"), system, $"'{system}' is no store that the gateway reads.",
                "Write hashicorp_vault, aws_secret_manager, google_secret_manager or azure_key_vault, or have the secrets mounted as files and name them: 'api_key: file//run/secrets/openai'.");
            return;
        }

        findings.Places.UseStore(place, hosted?.Select(static name => name.Text).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>Where the secret with the name of a variable is: one of its own, or a field of the one that has them all.</summary>
    private static Func<string, SecretLocation>? PlaceOf(string system, string? primary, Findings findings)
    {
        switch (system)
        {
            case "hashicorp_vault":
                var mount = findings.Variable("HCP_VAULT_MOUNT_NAME") ?? "secret";
                var prefix = findings.Variable("HCP_VAULT_PATH_PREFIX")?.Trim('/');
                var path = prefix is null ? mount : $"{mount}/{prefix}";
                return name => new(SecretStoreKind.Vault, $"{path}/{name}", SecretPlaces.VaultField);
            case "aws_secret_manager":
                return name => primary is null ? new(SecretStoreKind.Aws, name, null) : new(SecretStoreKind.Aws, primary, name);
            case "google_secret_manager":
                return name => new(SecretStoreKind.Google, name, null);
            case "azure_key_vault":
                // A name there cannot have the sign that separates words in a variable's.
                return name => new(SecretStoreKind.Azure, name.Replace('_', '-'), null);
            default:
                return null;
        }
    }
}
