using Gateway.Contracts;

namespace Gateway.Configuration.Tests.Reading;

public sealed class ModelListTests
{
    [Fact]
    public void Everything_that_LiteLLM_lets_one_say_of_a_deployment_is_read()
    {
        var result = Config.Production("""
            model_list:
              - model_name: gpt-4o
                litellm_params:
                  model: azure/gpt-4o-eu
                  api_key: os.environ/AZURE_KEY
                  api_base: https://x.openai.azure.com
                  api_version: "2024-06-01"
                  organization: org-123
                  extra_headers: {X-A: b}
                  rpm: 600
                  tpm: 100_000
                  weight: 2
                  order: 1
                  timeout: 300
                  stream_timeout: 20
                  max_parallel_requests: 10
                  cooldown_time: 5
                  num_retries: 1
                  tags: ["free", "eu"]
                  max_budget: 100.0
                  budget_duration: 1d
                  input_cost_per_token: 0.000005
                  output_cost_per_token: 1.5e-05
                  drop_params: true
                model_info:
                  id: my-deployment-1
                  mode: chat
                  base_model: azure/gpt-4o
                  max_tokens: 4096
                  max_input_tokens: 128000
                  team: payments
            """, ("AZURE_KEY", "k"));

        var model = Assert.Single(result.Good().Models);
        Assert.Empty(result.Warnings);
        Assert.Equal(("gpt-4o", "my-deployment-1", "azure", "gpt-4o-eu"), (model.ModelName, model.DeploymentId, model.Provider, model.ProviderModel));
        Assert.Equal(("2024-06-01", "org-123", "b"), (model.ApiVersion, model.Organization, model.ExtraHeaders["x-a"]));
        Assert.Equal((600L, 100_000L, 2m, 1), (model.Rpm, model.Tpm, model.Weight, model.Order));
        Assert.Equal(
            (TimeSpan.FromSeconds(300), TimeSpan.FromSeconds(20), 10, TimeSpan.FromSeconds(5), 1),
            (model.Timeout, model.StreamTimeout, model.MaxParallelRequests, model.CooldownTime, model.NumRetries));
        Assert.Equal(["free", "eu"], model.Tags);
        Assert.Equal((Money.FromDollars(100), "1d"), (model.MaxBudget, model.BudgetDuration));
        Assert.Equal((0.000005m, 0.000015m), (model.Price!.InputCostPerToken, model.Price.OutputCostPerToken));
        Assert.Equal(("chat", "azure/gpt-4o", 4096, 128000, true), (model.Mode, model.BaseModel, model.MaxTokens, model.MaxInputTokens, model.DropParams));
    }

    [Theory]
    [InlineData("gpt-4", "openai", "gpt-4")]
    [InlineData("claude-2", "anthropic", "claude-2")]
    [InlineData("command-r", "cohere", "command-r")]
    [InlineData("openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o")]
    [InlineData("bedrock/anthropic.claude-v2:1", "bedrock", "anthropic.claude-v2:1")]
    public void The_provider_is_what_stands_before_the_first_slash(string written, string provider, string model)
    {
        var deployment = Config.Development($"model_list: [{{model_name: m, litellm_params: {{model: '{written}'}}}}]").Good().Models[0];
        Assert.Equal((provider, model), (deployment.Provider, deployment.ProviderModel));
    }

    [Theory]
    [InlineData("llama-3", "'llama-3' names no provider.")]
    [InlineData("openai/", "the name of openai's model is missing.")]
    [InlineData("antropic/claude-2", "'antropic/claude-2' names no provider that the gateway knows; did you mean 'anthropic/claude-2'?")]
    [InlineData("acme/Llama-3", "'acme/Llama-3' names no provider that the gateway knows.")]
    [InlineData("openai/*", "'openai/*' has a '*', and model_name 'm' has none to fill it with.")]
    public void A_model_without_a_provider_is_an_error_with_a_remedy(string written, string message)
    {
        var error = Config.Development($"model_list: [{{model_name: m, litellm_params: {{model: '{written}'}}}}]").OnlyError();
        Assert.Equal(message, error.Message);
        Assert.NotEmpty(error.Remedy);
    }

    [Fact]
    public void The_id_stays_when_keys_are_reordered_and_changes_with_a_parameter()
    {
        var one = Id("{model: openai/gpt-4, rpm: 5}");
        Assert.Equal(one, Id("{rpm: 5, model: openai/gpt-4}"));
        Assert.NotEqual(one, Id("{rpm: 6, model: openai/gpt-4}"));
        Assert.Matches("^[0-9a-f]{64}$", one);

        static string Id(string parameters) => Config.Development($"model_list: [{{model_name: m, litellm_params: {parameters}}}]").Good().Models[0].DeploymentId;
    }

    [Fact]
    public void The_same_entry_twice_is_two_deployments_and_a_warning()
    {
        var result = Config.Development(Config.Minimal + """
              - model_name: gpt-4
                litellm_params:
                  model: openai/gpt-4
            """);

        Assert.Equal(2, result.Good().Models.Select(model => model.DeploymentId).Distinct().Count());
        Assert.Contains("same as the one on line 2", Assert.Single(result.Warnings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_mode_comes_from_the_price_list_when_none_is_stated() =>
        Assert.Equal("embedding", Config.Development("model_list: [{model_name: e, litellm_params: {model: openai/text-embedding-3-small}}]").Good().Models[0].Mode);

    [Theory]
    [InlineData("input_cost_per_token: 5", "5 is out of range.")]
    [InlineData("output_cost_per_token: -0.1", "-0.1 is negative.")]
    [InlineData("input_cost_per_token: free", "'free' is not an amount of dollars.")]
    public void A_price_that_was_written_per_million_is_caught(string price, string message) =>
        Assert.Equal(message, Config.Development($"model_list: [{{model_name: m, litellm_params: {{model: openai/gpt-4, {price}}}}}]").OnlyError().Message);

    [Fact]
    public void What_would_let_callers_choose_an_address_or_a_key_is_refused()
    {
        var error = Config.Development("model_list: [{model_name: m, litellm_params: {model: openai/gpt-4, configurable_clientside_auth_params: [api_base]}}]").OnlyError();
        Assert.Contains("configurable_clientside_auth_params", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("no caller", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*", "gpt-4", true)]
    [InlineData("anthropic/*", "anthropic/claude-2", true)]
    [InlineData("anthropic/*", "openai/gpt-4", false)]
    [InlineData("fo::*:static::*", "fo::hi::static::hi", true)]
    [InlineData("fo::*:static::*", "fo::hi::dynamic::hi", false)]
    [InlineData("a*b", "ab", true)]
    [InlineData("a*b", "abc", false)]
    [InlineData("", "", true)]
    public void A_star_stands_for_any_text(string pattern, string name, bool matches) => Assert.Equal(matches, ModelPattern.Matches(pattern, name));

    [Theory]
    [InlineData("*", "*", "gpt-4", "gpt-4")]
    [InlineData("claude-*", "anthropic/*", "anthropic/2", "claude-2")]
    [InlineData("gpt-4o", "*", "anything", "gpt-4o")]
    public void The_star_of_the_providers_name_is_filled(string providerModel, string pattern, string name, string filled) =>
        Assert.Equal(filled, ModelPattern.Fill(providerModel, pattern, name));

    [Fact]
    public void A_hostile_pattern_is_matched_in_time() =>
        Assert.False(ModelPattern.Matches(string.Concat(Enumerable.Repeat("*a", 500)) + "b", new string('a', 5_000)));
}
