using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>
/// Models whose credentials are in a Vault, in the stores of three clouds, in a file and in the environment. They are looked at once an hour, so what a test sees change
/// was looked at because a provider had refused it.
/// </summary>
public sealed class CredentialsCluster : RunningCluster
{
    public const string OfEnvironment = "sk-upstream-environment-8431";
    public const string OfPayments = "sk-upstream-payments-2207";
    public const string OfResearch = "sk-upstream-research-9915";

    private readonly string folder = Servers.NewFolder("credentials");

    internal ScriptedModels Upstream { get; private set; } = null!;

    internal ScriptedVault Vault { get; private set; } = null!;

    internal ScriptedAwsSecrets Aws { get; private set; } = null!;

    internal ScriptedGoogleSecrets Google { get; private set; } = null!;

    internal ScriptedKeyVault KeyVault { get; private set; } = null!;

    /// <summary>The file that a model's key is in.</summary>
    public string KeyFile => Path.Combine(folder, "openai");

    public override async Task InitializeAsync()
    {
        Upstream = await ScriptedModels.StartAsync();
        Vault = await ScriptedVault.Start();
        Vault.Write("secret/gateway/openai", ("api_key", "sk-upstream-vault-1"));
        Vault.Write("secret/research", ("key", OfResearch));
        (Aws, Google, KeyVault) = (await ScriptedAwsSecrets.Start(), await ScriptedGoogleSecrets.Start(), await ScriptedKeyVault.Start());
        Aws.Write("gateway/all", """{"openai":"sk-upstream-aws-1"}""");
        Google.Write("openai", "sk-upstream-google-1");
        KeyVault.Write("openai-key", "sk-upstream-azure-1");
        File.WriteAllText(Path.Combine(folder, "account.json"), Google.ServiceAccount);
        File.WriteAllText(KeyFile, "sk-upstream-file-1\n");
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Vault.DisposeAsync();
        await Aws.DisposeAsync();
        await Google.DisposeAsync();
        await KeyVault.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = $$$"""
            credential_list:
              - {credential_name: of-payments, credential_values: {api_key: os.environ/PAYMENTS_KEY}}
              - {credential_name: of-research, credential_values: {api_key: vault/secret/research}}
            model_list:
              - model_name: in-vault
                litellm_params: &scripted {model: openai/in-vault, api_base: {{{Upstream.Url}}}/v1, api_key: vault/secret/gateway/openai#api_key, input_cost_per_token: 0.00001, output_cost_per_token: 0.00003}
              - {model_name: in-file, litellm_params: {<<: *scripted, model: openai/in-file, api_key: "file/{{{KeyFile}}}"}}
              - {model_name: in-aws, litellm_params: {<<: *scripted, model: openai/in-aws, api_key: "aws/gateway/all#openai"}}
              - {model_name: in-google, litellm_params: {<<: *scripted, model: openai/in-google, api_key: google/openai}}
              - {model_name: in-azure, litellm_params: {<<: *scripted, model: openai/in-azure, api_key: azure/openai-key}}
              - {model_name: shared, litellm_params: {<<: *scripted, model: openai/shared, api_key: os.environ/GATEWAY_KEY}}
            router_settings: {num_retries: 0}
            general_settings: {credential_refresh: 3600}
            user_access:
              - {user_id: team-research, models: ["*"], credentials: {openai: of-research}}
            """,
        Environment = new Dictionary<string, string?>
        {
            ["VAULT_ADDR"] = Vault.Url, ["VAULT_TOKEN"] = ScriptedVault.Token, ["GATEWAY_KEY"] = OfEnvironment, ["PAYMENTS_KEY"] = OfPayments,
            ["AWS_REGION_NAME"] = ScriptedAwsSecrets.Region, ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = Aws.Url,
            ["AWS_ACCESS_KEY_ID"] = ScriptedAwsSecrets.AccessKeyId, ["AWS_SECRET_ACCESS_KEY"] = ScriptedAwsSecrets.SecretAccessKey, ["AWS_SESSION_TOKEN"] = null,
            ["GOOGLE_SECRET_MANAGER_PROJECT_ID"] = ScriptedGoogleSecrets.Project, ["GOOGLE_SECRET_MANAGER_ENDPOINT"] = Google.Url,
            ["GOOGLE_APPLICATION_CREDENTIALS"] = Path.Combine(folder, "account.json"),
            ["AZURE_KEY_VAULT_URI"] = KeyVault.Url, ["AZURE_AUTHORITY_HOST"] = KeyVault.Url, ["AZURE_TENANT_ID"] = ScriptedKeyVault.TenantId,
            ["AZURE_CLIENT_ID"] = ScriptedKeyVault.ClientId, ["AZURE_CLIENT_SECRET"] = ScriptedKeyVault.ClientSecret,
        },
    };
}

[CollectionDefinition(Name)]
public sealed class CredentialsCollection : ICollectionFixture<CredentialsCluster>
{
    public const string Name = "the cluster of credentials";
}
