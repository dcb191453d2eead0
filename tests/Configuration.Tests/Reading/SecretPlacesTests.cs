namespace Gateway.Configuration.Tests.Reading;

public sealed class SecretPlacesTests
{
    [Theory]
    [InlineData("file//run/secrets/openai", SecretStoreKind.File, "/run/secrets/openai", null)]
    [InlineData("file/secrets/all.json#openai", SecretStoreKind.File, "/etc/gateway/secrets/all.json", "openai")]
    [InlineData("vault/secret/payments/openai#api_key", SecretStoreKind.Vault, "secret/payments/openai", "api_key")]
    [InlineData("vault/kv/openai", SecretStoreKind.Vault, "kv/openai", "key")]
    [InlineData("aws/payments/openai", SecretStoreKind.Aws, "payments/openai", null)]
    [InlineData("aws/arn:aws:secretsmanager:eu-central-1:1:secret:openai-a1#api_key", SecretStoreKind.Aws, "arn:aws:secretsmanager:eu-central-1:1:secret:openai-a1", "api_key")]
    [InlineData("google/openai#api_key", SecretStoreKind.Google, "openai", "api_key")]
    [InlineData("google/projects/example.com:ai/secrets/openai/versions/5", SecretStoreKind.Google, "projects/example.com:ai/secrets/openai/versions/5", null)]
    [InlineData("azure/openai-key", SecretStoreKind.Azure, "openai-key", null)]
    public void A_credential_may_be_kept_elsewhere(string written, SecretStoreKind store, string path, string? field)
    {
        var model = Config.Production(Model($"{{model: openai/gpt-4, api_key: '{written}'}}")).Good().Models[0];

        Assert.Equal(new SecretLocation(store, path, field), model.ApiKey!.Location);
        Assert.Equal(model.ApiKey.Location!.ToString(), model.CredentialName);
        Assert.Throws<InvalidOperationException>(() => model.ApiKey.Reveal());
    }

    [Theory]
    [InlineData("file/")]
    [InlineData("file//run/secrets/x#")]
    [InlineData("vault/secret")]
    [InlineData("vault/secret/../sys#key")]
    [InlineData("vault/secret/a?b#key")]
    [InlineData("vault//openai")]
    [InlineData("vault/secret/openai#")]
    [InlineData("aws/")]
    [InlineData("aws/open?ai")]
    [InlineData("aws/openai#")]
    [InlineData("google/open.ai")]
    [InlineData("google/projects/p/openai")]
    [InlineData("google/projects/p/secrets/../x")]
    [InlineData("azure/open_ai")]
    [InlineData("azure/vault/openai")]
    public void A_place_that_is_none_is_an_error_with_its_remedy(string written)
    {
        var error = Config.Production(Model($"{{model: openai/gpt-4, api_key: '{written}'}}")).OnlyError();

        Assert.Equal(("model_list[0].litellm_params.api_key", 4), (error.Key, error.Line));
        Assert.StartsWith("Write ", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openai/gpt-4", "{}", "os.environ/OPENAI_API_KEY")]
    [InlineData("openai/gpt-4", "{api_key: os.environ/OTHER}", "os.environ/OTHER")]
    [InlineData("openai/gpt-4", "{api_key: sk-written}", "config")]
    [InlineData("bedrock/m", "{aws_access_key_id: a, aws_secret_access_key: vault/secret/aws#secret}", "config")]
    [InlineData("vertex_ai/m", "{vertex_credentials: file//run/secrets/account.json}", "file//run/secrets/account.json")]
    [InlineData("openai/gpt-4", "{api_base: 'http://localhost:1'}", null)]
    public void A_credential_is_called_by_where_it_comes_from_and_never_by_its_value(string model, string more, string? name)
    {
        var read = Config.Production(Model($"{{model: {model}, {more[1..]}"), ("OPENAI_API_KEY", "k-openai"), ("OTHER", "k-other")).Good().Models[0];

        Assert.Equal(name, read.CredentialName);
    }

    [Fact]
    public void The_gateways_own_keys_are_not_read_from_places()
    {
        var result = Config.Production(Config.Minimal + """
            general_settings: {master_key: file//run/secrets/master}
            user_access: [{user_id: u, models: [gpt-4], api_key: vault/secret/u#key}]
            """, ("OPENAI_API_KEY", "k"));

        Assert.Equal(["general_settings.master_key", "user_access[0].api_key"], result.Errors.Select(static error => error.Key));
        Assert.All(result.Errors, static error => Assert.Contains("os.environ/NAME", error.Remedy, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "THERE", null)]
    [InlineData("", "NOT_THERE", "secret/NOT_THERE")]
    [InlineData(", key_management_settings: {hosted_keys: [THERE]}", "THERE", "secret/THERE")]
    public void With_a_key_management_system_a_variable_may_stand_in_Vault(string hosted, string variable, string? path)
    {
        var config = Config.Production(
            Model($"{{model: openai/gpt-4, api_key: os.environ/{variable}}}") + $"\ngeneral_settings: {{key_management_system: hashicorp_vault{hosted}}}\n", ("THERE", "k-there")).Good();

        Assert.Equal(path is null ? null : new SecretLocation(SecretStoreKind.Vault, path, "key"), config.Models[0].ApiKey!.Location);
    }

    [Fact]
    public void A_name_that_neither_the_environment_nor_Vault_has_is_missing() => Assert.Contains(
        "NOWHERE",
        Config.Production(
            Model("{model: openai/gpt-4, api_key: os.environ/NOWHERE}") + "\ngeneral_settings: {key_management_system: hashicorp_vault, key_management_settings: {hosted_keys: [OTHER]}}\n")
            .OnlyError().Message,
        StringComparison.Ordinal);

    [Fact]
    public void The_mount_and_the_prefix_are_LiteLLMs_variables()
    {
        var config = Config.Production(
            Model("{model: openai/gpt-4, api_key: os.environ/KEY}") + "\ngeneral_settings: {key_management_system: hashicorp_vault}\n",
            ("HCP_VAULT_MOUNT_NAME", "kv"), ("HCP_VAULT_PATH_PREFIX", "gateway/prod"), ("HCP_VAULT_ADDR", "https://vault.example:8200/"), ("HCP_VAULT_TOKEN", "hvs.t")).Good();

        Assert.Equal("vault/kv/gateway/prod/KEY#key", config.Models[0].CredentialName);
        Assert.Equal(("https://vault.example:8200", "hvs.t", null), (config.Vault.Address, config.Vault.Token!.Reveal(), config.Vault.Problem));
    }

    [Theory]
    [InlineData("aws_secret_manager", "", "aws/OPENAI_KEY")]
    [InlineData("aws_secret_manager", ", key_management_settings: {primary_secret_name: gateway/all}", "aws/gateway/all#OPENAI_KEY")]
    [InlineData("google_secret_manager", "", "google/OPENAI_KEY")]
    [InlineData("azure_key_vault", "", "azure/OPENAI-KEY")]
    [InlineData("azure_key_vault", ", key_management_settings: {hosted_keys: [OTHER]}", null)]
    public void A_cloud_has_the_names_that_the_environment_has_not(string system, string more, string? place)
    {
        var result = Config.Production(Model("{model: openai/gpt-4, api_key: os.environ/OPENAI_KEY}") + $"\ngeneral_settings: {{key_management_system: {system}{more}}}\n");

        if (place is null)
        {
            Assert.Contains("OPENAI_KEY", result.OnlyError().Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(place, result.Good().Models[0].CredentialName);
    }

    [Fact]
    public void Another_system_is_an_error_with_its_line_and_the_ones_that_there_are()
    {
        var error = Config.Production(Config.Minimal + "general_settings: {key_management_system: google_kms}\n", ("OPENAI_API_KEY", "k")).OnlyError();

        Assert.Equal("general_settings.key_management_system", error.Key);
        Assert.True(error.Line > 0);
        Assert.Contains("aws_secret_manager, google_secret_manager or azure_key_vault", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_clouds_stores_are_is_in_the_environment()
    {
        var config = Config.Production(
            Config.Minimal, ("OPENAI_API_KEY", "k"), ("AWS_REGION", "eu-central-1"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"),
            ("GOOGLE_CLOUD_PROJECT", "p"), ("AZURE_KEY_VAULT_URI", "https://v.vault.azure.net/"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")).Good();

        Assert.Equal(("eu-central-1", "http://169.254.170.2/v2/credentials/1", null), (config.AwsSecrets.Region, config.AwsSecrets.RoleAddress, config.AwsSecrets.Problem));
        Assert.Equal(("p", "https://secretmanager.googleapis.com", null), (config.GoogleSecrets.Project, config.GoogleSecrets.Endpoint, config.GoogleSecrets.Problem));
        Assert.Equal(("https://v.vault.azure.net", "s", null), (config.AzureSecrets.Address, config.AzureSecrets.ClientSecret!.Reveal(), config.AzureSecrets.Problem));
        Assert.Equal(
            "AWS Secrets Manager in eu-central-1, Google Secret Manager of p, Azure Key Vault at https://v.vault.azure.net", $"{config.AwsSecrets}, {config.GoogleSecrets}, {config.AzureSecrets}");
    }

    [Theory]
    [InlineData("AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY")]
    [InlineData("AWS_REGION", "r", "AWS_ACCESS_KEY_ID")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://x", "AWS_CONTAINER_CREDENTIALS_FULL_URI")]
    public void What_AWS_Secrets_Manager_needs_and_has_not_is_said(string variable, string value, string named) => Assert.Contains(
        named, Config.Production(Config.Minimal, ("OPENAI_API_KEY", "k"), (variable, value)).Good().AwsSecrets.Problem!, StringComparison.Ordinal);

    [Theory]
    [InlineData("AZURE_CLIENT_SECRET", "s", "AZURE_TENANT_ID")]
    [InlineData("IDENTITY_ENDPOINT", "http://localhost:1", "IDENTITY_HEADER")]
    [InlineData("AZURE_AUTHORITY_HOST", "login", "AZURE_AUTHORITY_HOST")]
    public void What_Azure_Key_Vault_needs_and_has_not_is_said(string variable, string value, string named) => Assert.Contains(
        named, Config.Production(Config.Minimal, ("OPENAI_API_KEY", "k"), ("AZURE_KEY_VAULT_URI", "https://v.vault.azure.net"), (variable, value)).Good().AzureSecrets.Problem!, StringComparison.Ordinal);

    [Fact]
    public void An_endpoint_of_Googles_store_that_is_none_is_said() => Assert.Contains(
        "GOOGLE_SECRET_MANAGER_ENDPOINT",
        Config.Production(Config.Minimal, ("OPENAI_API_KEY", "k"), ("GOOGLE_SECRET_MANAGER_ENDPOINT", "nowhere")).Good().GoogleSecrets.Problem!, StringComparison.Ordinal);

    [Theory]
    [InlineData("VAULT_ADDR", "ftp://vault", "VAULT_TOKEN", "t", "VAULT_ADDR")]
    [InlineData("VAULT_TOKEN", "t", "NOTHING", "x", "VAULT_ADDR")]
    [InlineData("VAULT_ADDR", "http://vault", "NOTHING", "x", "VAULT_TOKEN")]
    [InlineData("VAULT_ADDR", "http://vault", "VAULT_ROLE_ID", "r", "VAULT_SECRET_ID")]
    public void What_Vault_needs_and_has_not_is_said(string one, string value, string other, string otherValue, string named) => Assert.Contains(
        named, Config.Production(Config.Minimal, ("OPENAI_API_KEY", "k"), (one, value), (other, otherValue)).Good().Vault.Problem!, StringComparison.Ordinal);

    private static string Model(string parameters) => $"""
        model_list:
          - model_name: m
            litellm_params:
              {parameters}
        """;
}
