namespace Gateway.Configuration.Tests.Reading;

public sealed class SecretPlacesTests
{
    [Theory]
    [InlineData("file//run/secrets/openai", SecretStoreKind.File, "/run/secrets/openai", null)]
    [InlineData("file/secrets/all.json#openai", SecretStoreKind.File, "/etc/gateway/secrets/all.json", "openai")]
    [InlineData("vault/secret/payments/openai#api_key", SecretStoreKind.Vault, "secret/payments/openai", "api_key")]
    [InlineData("vault/kv/openai", SecretStoreKind.Vault, "kv/openai", "key")]
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

    [Fact]
    public void Another_system_is_an_error() => Assert.Equal(
        "general_settings.key_management_system",
        Config.Production(Config.Minimal + "general_settings: {key_management_system: aws_secret_manager}\n", ("OPENAI_API_KEY", "k")).OnlyError().Key);

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
