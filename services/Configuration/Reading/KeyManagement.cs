using Gateway.Configuration.Schema;

namespace Gateway.Configuration.Reading;

/// <summary>Reads <c>key_management_system</c>: LiteLLM's way to say that <c>os.environ/NAME</c> may stand in a store.</summary>
internal static class KeyManagement
{
    private const string Vault = "hashicorp_vault";

    public static void Read(Section? general, Findings findings)
    {
        if (general is null)
        {
            return;
        }

        var hosted = general.Child("key_management_settings", ConfigSchema.KeyManagementSettings)?.Texts("hosted_keys");
        if (general.Text("key_management_system") is not { } system)
        {
            return;
        }

        if (system != Vault)
        {
            findings.Error(
                general.Value("key_management_system")!, general.PathOf("key_management_system"), system, $"'{system}' is no store that the gateway reads.",
                $"Write {Vault}, or have the secrets mounted as files and name them: 'api_key: file//run/secrets/openai'.");
            return;
        }

        var mount = findings.Variable("HCP_VAULT_MOUNT_NAME") ?? "secret";
        var prefix = findings.Variable("HCP_VAULT_PATH_PREFIX")?.Trim('/');
        findings.Places.UseVault(
            prefix is null ? mount : $"{mount}/{prefix}", hosted?.Select(static name => name.Text).ToHashSet(StringComparer.Ordinal));
    }
}
