namespace Gateway.Configuration.Tests.Reading;

public sealed class CredentialsTests
{
    [Theory]
    [InlineData("model: openai/gpt-4", "k-openai", "https://api.openai.com/v1")]
    [InlineData("{model: openai/gpt-4, api_key: os.environ/OTHER}", "k-other", "https://api.openai.com/v1")]
    [InlineData("{model: openai/gpt-4, api_key: k-written}", "k-written", "https://api.openai.com/v1")]
    [InlineData("{model: openai/x, api_base: 'http://localhost:8000/v1/'}", null, "http://localhost:8000/v1")]
    [InlineData("{model: openai/x, api_base: 'http://localhost:8000/v1', api_key: ''}", null, "http://localhost:8000/v1")]
    [InlineData("{model: openai/x, api_base: 'http://localhost:8000/v1', api_key: os.environ/OTHER}", "k-other", "http://localhost:8000/v1")]
    [InlineData("{model: hosted_vllm/x, api_base: 'http://localhost:8000'}", null, "http://localhost:8000")]
    [InlineData("{model: ollama/llama3}", null, "http://localhost:11434")]
    [InlineData("{model: azure/gpt-4o-eu, api_base: 'https://x.openai.azure.com'}", "k-azure", "https://x.openai.azure.com")]
    [InlineData("{model: groq/llama-3.1-8b-instant, api_key: os.environ/OTHER}", "k-other", "https://api.groq.com/openai/v1")]
    public void A_key_goes_only_where_it_belongs(string parameters, string? key, string address)
    {
        var config = Config.Production(Model(parameters), ("OPENAI_API_KEY", "k-openai"), ("OTHER", "k-other"), ("AZURE_API_KEY", "k-azure")).Good();

        Assert.Equal((key, address, false), (config.Models[0].ApiKey?.Reveal(), config.Models[0].ApiBase, config.Models[0].UsesSampleProvider));
    }

    [Theory]
    [InlineData("model: anthropic/claude-2", "ANTHROPIC_API_KEY", "model_list[0].litellm_params.model")]
    [InlineData("{model: openai/gpt-4, api_key: os.environ/OTHER}", "OTHER", "model_list[0].litellm_params.api_key")]
    [InlineData("{model: azure/gpt-4o, api_base: 'https://x.openai.azure.com'}", "AZURE_API_KEY", "model_list[0].litellm_params.model")]
    public void A_missing_key_is_an_error_outside_of_Development_and_the_sample_provider_in_it(string parameters, string variable, string key)
    {
        var error = Config.Production(Model(parameters)).OnlyError();
        Assert.Equal(key, error.Key);
        Assert.Contains(variable, error.Message, StringComparison.Ordinal);
        Assert.Contains("Production", error.Remedy, StringComparison.Ordinal);

        var sampled = Config.Development(Model(parameters));
        Assert.True(sampled.Good().Models[0].UsesSampleProvider);
        Assert.Equal(variable, sampled.Good().Models[0].ApiKeyVariable);
        Assert.StartsWith($"{variable} is not set: ", Assert.Single(sampled.Notices).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_variable_beside_a_stated_address_is_an_error_in_Development_too() =>
        Assert.Equal(
            "the environment variable NO is not set.",
            Config.Development(Model("{model: openai/x, api_base: 'http://localhost:1', api_key: os.environ/NO}")).OnlyError().Message);

    [Fact]
    public void An_empty_variable_counts_as_not_set() =>
        Assert.True(Config.Development(Model("model: openai/gpt-4"), ("OPENAI_API_KEY", " ")).Good().Models[0].UsesSampleProvider);

    [Fact]
    public void Variables_that_the_file_states_win_over_the_environment() =>
        Assert.Equal(
            "k-file",
            Config.Production("environment_variables: {OPENAI_API_KEY: os.environ/MINE}\n" + Config.Minimal, ("OPENAI_API_KEY", "k-process"), ("MINE", "k-file"))
                .Good().Models[0].ApiKey!.Reveal());

    [Fact]
    public void A_fixed_answer_needs_no_key() =>
        Assert.Equal("hi", Config.Production(Model("{model: openai/gpt-4, mock_response: hi}")).Good().Models[0].MockResponse);

    [Fact]
    public void A_provider_without_an_address_of_its_own_needs_one() =>
        Assert.Equal("model_list[0].litellm_params.api_base", Config.Production(Model("{model: hosted_vllm/x}")).OnlyError().Key);

    [Theory]
    [InlineData("https://user:hunter2@host/v1")]
    [InlineData("ftp://host")]
    [InlineData("https://host/v1?key=hunter2")]
    [InlineData("host:8000")]
    public void A_wrong_address_is_an_error_that_shows_no_password(string address)
    {
        var error = Config.Development(Model($"{{model: openai/x, api_base: '{address}'}}")).OnlyError();
        Assert.Equal("model_list[0].litellm_params.api_base", error.Key);
        Assert.DoesNotContain("hunter2", error.ToString() + error.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void No_key_is_in_any_text_that_the_configuration_prints()
    {
        var config = Config.Production(
            Model("{model: openai/gpt-4, api_key: sk-hunter2}") + "general_settings: {master_key: sk-hunter2m}\nuser_access: [{user_id: u, models: ['*'], api_key: sk-hunter2u}]")
            .Good();

        var text = $"{config} {config.Models[0]} {config.General} {config.UserAccess[0]} {config.UserAccess[0].ApiKey}";
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Bedrock_and_Vertex_take_their_own_credentials()
    {
        var config = Config.Production(
            """
            model_list:
              - model_name: b
                litellm_params: {model: bedrock/anthropic.claude-v2, aws_region_name: eu-west-1}
              - model_name: v
                litellm_params: {model: vertex_ai/gemini-2.5-pro, vertex_project: p, vertex_location: europe-west4, vertex_credentials: os.environ/SA}
            """,
            ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("SA", "/etc/sa.json")).Good();

        Assert.Equal(("eu-west-1", "id", "secret"), (config.Models[0].Aws!.Region, config.Models[0].Aws!.AccessKeyId!.Reveal(), config.Models[0].Aws!.SecretAccessKey!.Reveal()));
        Assert.Equal(("p", "europe-west4", "/etc/sa.json"), (config.Models[1].Vertex!.Project, config.Models[1].Vertex!.Location, config.Models[1].Vertex!.Credentials!.Reveal()));
    }

    private static string Model(string parameters) => $"model_list:\n  - model_name: m\n    litellm_params: {(parameters[0] == '{' ? parameters : "{" + parameters + "}")}\n";
}
