namespace Gateway.Configuration.Tests.Reading;

public sealed class CredentialListTests
{
    private const string List = """
        credential_list:
          - credential_name: payments-azure
            credential_values:
              api_key: vault/secret/payments#azure
              api_base: https://payments.openai.azure.com
              api_version: "2025-01-01"
            credential_info: {description: of the payments team}
          - credential_name: payments-openai
            credential_values: {api_key: os.environ/PAYMENTS, organization: org-payments}
          - credential_name: payments-aws
            credential_values: {aws_access_key_id: file//k/id, aws_secret_access_key: file//k/secret, aws_region_name: eu-west-1}

        """;

    [Fact]
    public void A_deployment_is_called_with_the_credential_that_it_names()
    {
        var config = Config.Production(List + """
            model_list:
              - {model_name: a, litellm_params: {model: azure/gpt-4o, litellm_credential_name: payments-azure}}
              - {model_name: o, litellm_params: {model: openai/gpt-4, litellm_credential_name: payments-openai}}
              - {model_name: b, litellm_params: {model: bedrock/m, litellm_credential_name: payments-aws}}
            """, ("PAYMENTS", "k-payments"), ("OPENAI_API_KEY", "k-gateway"), ("AWS_SESSION_TOKEN", "of-the-gateway")).Good();

        var (azure, openai, bedrock) = (config.Models[0], config.Models[1], config.Models[2]);
        Assert.Equal(
            ("vault/secret/payments#azure", "https://payments.openai.azure.com", "2025-01-01", "payments-azure"),
            (azure.ApiKey!.Origin, azure.ApiBase, azure.ApiVersion, azure.CredentialName));
        Assert.Equal(("k-payments", "https://api.openai.com/v1", "org-payments", "payments-openai"), (openai.ApiKey!.Reveal(), openai.ApiBase, openai.Organization, openai.CredentialName));
        Assert.Equal(("eu-west-1", "file//k/id", "file//k/secret", null), (bedrock.Aws!.Region, bedrock.Aws.AccessKeyId!.Origin, bedrock.Aws.SecretAccessKey!.Origin, bedrock.Aws.SessionToken));
    }

    [Fact]
    public void What_a_deployment_states_itself_goes_before_its_credential()
    {
        var model = Config.Production(
            List + "model_list: [{model_name: a, litellm_params: {model: azure/gpt-4o, litellm_credential_name: payments-azure, api_key: k-own, api_version: \"2024-01-01\"}}]", ("PAYMENTS", "k"))
            .Good().Models[0];

        Assert.Equal(("k-own", "2024-01-01", "https://payments.openai.azure.com", "config"), (model.ApiKey!.Reveal(), model.ApiVersion, model.ApiBase, model.CredentialName));
    }

    [Theory]
    [InlineData("litellm_credential_name: payments-opena", "model_list[0].litellm_params.litellm_credential_name", "payments-openai")]
    public void An_unknown_name_is_an_error_with_the_nearest(string parameter, string key, string nearest)
    {
        var error = Config.Production(List + $"model_list: [{{model_name: a, litellm_params: {{model: openai/gpt-4, {parameter}}}}}]", ("PAYMENTS", "k"), ("OPENAI_API_KEY", "k")).OnlyError();

        Assert.Equal(key, error.Key);
        Assert.Contains(nearest, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- {credential_values: {api_key: k}}", "credential_list[0].credential_name")]
    [InlineData("- {credential_name: a}", "credential_list[0].credential_values")]
    [InlineData("- {credential_name: a, credential_values: {api_base: 'http://h'}}", "credential_list[0].credential_values")]
    [InlineData("- {credential_name: a, credential_values: {aws_access_key_id: x}}", "credential_list[0].credential_values")]
    [InlineData("- {credential_name: a, credential_values: {api_key: os.environ/NO}}", "credential_list[0].credential_values.api_key")]
    [InlineData("- {credential_name: a, credential_values: {api_key: vault/x}}", "credential_list[0].credential_values.api_key")]
    [InlineData("- {credential_name: a, credential_values: {api_key: k}}\n  - {credential_name: a, credential_values: {api_key: l}}", "credential_list[1].credential_name")]
    public void A_wrong_entry_is_one_error_at_its_place(string entry, string key) =>
        Assert.Equal(key, Config.Production($"credential_list:\n  {entry}\n" + Config.Minimal, ("OPENAI_API_KEY", "k")).OnlyError().Key);

    [Fact]
    public void In_Development_a_credential_without_its_variable_is_the_sample_provider()
    {
        var result = Config.Development(List + "model_list: [{model_name: o, litellm_params: {model: openai/gpt-4, litellm_credential_name: payments-openai}}]", ("OPENAI_API_KEY", "k-gateway"));

        Assert.True(result.Good().Models[0].UsesSampleProvider);
        Assert.Null(result.Good().Models[0].ApiKey);
        Assert.Contains(result.Notices, static notice => notice.Message.StartsWith("PAYMENTS is not set", StringComparison.Ordinal));
    }

    [Fact]
    public void A_user_names_the_credentials_of_its_calls()
    {
        var config = Config.Production(List + Config.Minimal + "user_access: [{user_id: u, models: [gpt-4], api_key: sk-u, credentials: {openai: payments-openai}}]", ("PAYMENTS", "k"), ("OPENAI_API_KEY", "k")).Good();

        Assert.Equal(new Dictionary<string, string> { ["openai"] = "payments-openai" }, config.UserAccess[0].Credentials);
    }

    [Theory]
    [InlineData("{openai: payments-opena}", "there is no credential")]
    [InlineData("{opena: payments-openai}", "is no provider")]
    [InlineData("{openai: [x]}", "the name of a credential")]
    public void A_users_wrong_credential_is_an_error(string credentials, string message)
    {
        var error = Config.Production(List + Config.Minimal + $"user_access: [{{user_id: u, models: [gpt-4], api_key: sk-u, credentials: {credentials}}}]", ("PAYMENTS", "k"), ("OPENAI_API_KEY", "k")).OnlyError();

        Assert.StartsWith("user_access[0].credentials.", error.Key, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_deployment_called_with_another_credential_keeps_nothing_of_its_own()
    {
        var config = Config.Production(List + """
            model_list:
              - model_name: o
                litellm_params: {model: openai/gpt-4, api_key: k-own, organization: org-own, extra_headers: {Authorization: mine, X-Team: all}}
              - {model_name: b, litellm_params: {model: bedrock/m, aws_access_key_id: own, aws_secret_access_key: own, aws_session_token: own, aws_region_name: us-east-2}}
            """, ("PAYMENTS", "k-payments")).Good();

        var openai = config.Credentials["payments-openai"].Of(config.Models[0]);
        var bedrock = config.Credentials["payments-aws"].Of(config.Models[1]);

        Assert.Equal(("k-payments", "org-payments", "payments-openai"), (openai.ApiKey!.Reveal(), openai.Organization, openai.CredentialName));
        Assert.Equal(["X-Team"], openai.ExtraHeaders.Keys);
        Assert.Equal(("eu-west-1", "file//k/id", null), (bedrock.Aws!.Region, bedrock.Aws.AccessKeyId!.Origin, bedrock.Aws.SessionToken));
        Assert.DoesNotContain("k-payments", $"{config.Credentials["payments-openai"]} {openai} {config.Vault}", StringComparison.Ordinal);
    }
}
