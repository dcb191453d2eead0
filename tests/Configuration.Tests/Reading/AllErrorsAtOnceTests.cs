namespace Gateway.Configuration.Tests.Reading;

/// <summary>A file with everything wrong in it: each mistake is named with its line, in one reading.</summary>
public sealed class AllErrorsAtOnceTests
{
    private const string Yaml = """
        model_list:
          - model_name: gpt-4
            litellm_params:
              model: opnai/gpt-4
          - model_name: claude
            litellm_params:
              model: anthropic/claude-2
              api_key: os.environ/NOT_THERE
              api_base: https://claude.example
          - model_name: local
            litellm_params:
              model: hosted_vllm/llama
              api_base: localhost:8000
              rpm: many
              weight: [1]
            model_info:
              id: one
          - model_name: other
            litellm_params:
              model: openai/gpt-4o
              max_budget: -5
              budget_duration: fortnight
            model_info:
              id: one
        router_settings:
          routing_strategy: latency
          num_retries: 1.5
          fallbacks:
            - gpt-4: [cluade]
        user_access:
          - user_id: team-alpha
            models: [gpt-4, gtp-4]
            max_budget: lots
          - user_id: team-alpha
            models: local
            max_budget: 1
            max_budget: 2
        unpriced_models: sometimes
        timezone: Europe/Berlin-Mitte
        """;

    [Fact]
    public void Every_mistake_is_found_with_line_key_and_remedy()
    {
        var result = Config.Development(Yaml, ("OPENAI_API_KEY", "k"));

        Assert.Null(result.Config);
        Assert.Equal(
            [
                "config.yaml:4: model_list[0].litellm_params.model: 'opnai/gpt-4' names no provider that the gateway knows; did you mean 'openai/gpt-4'?",
                "config.yaml:8: model_list[1].litellm_params.api_key: the environment variable NOT_THERE is not set.",
                "config.yaml:13: model_list[2].litellm_params.api_base: 'localhost:8000' is not an address that begins with http:// or https://.",
                "config.yaml:14: model_list[2].litellm_params.rpm: 'many' is not a number.",
                "config.yaml:15: model_list[2].litellm_params.weight: number is expected here, and this is a list.",
                "config.yaml:21: model_list[3].litellm_params.max_budget: -5 is negative.",
                "config.yaml:22: model_list[3].litellm_params.budget_duration: 'fortnight' is not a period.",
                "config.yaml:24: model_list[3].model_info.id: the id 'one' has a deployment already, on line 17.",
                "config.yaml:26: router_settings.routing_strategy: 'latency' is no routing strategy.",
                "config.yaml:27: router_settings.num_retries: '1.5' is not a whole number.",
                "config.yaml:29: router_settings.fallbacks[0].gpt-4[0]: there is no model 'cluade' in model_list.",
                "config.yaml:32: user_access[0].models[1]: there is no model 'gtp-4' in model_list.",
                "config.yaml:33: user_access[0].max_budget: 'lots' is not an amount of dollars.",
                "config.yaml:34: user_access[1].user_id: the user 'team-alpha' has an entry already, on line 31.",
                "config.yaml:35: user_access[1].models: a list is expected here, and this is a single value.",
                "config.yaml:37: the key 'max_budget' stands here a second time; the first is on line 36.",
                "config.yaml:38: unpriced_models: 'sometimes' is none of refuse, allow and flag.",
                "config.yaml:39: timezone: 'Europe/Berlin-Mitte' is no time zone that this system knows.",
            ],
            result.Errors.Select(error => error.ToString()[..^(error.Remedy.Length + 1)]));
        Assert.All(result.Errors, error => Assert.NotEmpty(error.Remedy));
        Assert.All(result.Errors, error => Assert.DoesNotContain('\n', error.ToString()));
    }
}
