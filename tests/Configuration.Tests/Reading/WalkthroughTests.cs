using Gateway.Contracts;

namespace Gateway.Configuration.Tests.Reading;

/// <summary>The mission's example, word for word.</summary>
public sealed class WalkthroughTests
{
    private const string Yaml = """
        model_list:
          - model_name: gpt-4
            litellm_params:
              model: openai/gpt-4
          - model_name: claude-2
            litellm_params:
              model: anthropic/claude-2

        router_settings:
          routing_strategy: usage-based  # or latency-based, cost-based

        user_access:
          - user_id: team-alpha
            models: [gpt-4, claude-2]
            max_budget: 500.00
          - user_id: team-beta
            models: [gpt-4]
            max_budget: 200.00
        """;

    [Fact]
    public void In_Development_without_keys_the_sample_provider_answers_and_the_start_says_so_once_for_each()
    {
        var result = Config.Development(Yaml);

        var config = result.Good();
        Assert.Empty(result.Warnings);
        Assert.All(config.Models, model => Assert.True(model.UsesSampleProvider));
        Assert.Equal(
            [
                "config.yaml: model_list: ANTHROPIC_API_KEY is not set: anthropic models are answered by the sample provider.",
                "config.yaml: model_list: OPENAI_API_KEY is not set: openai models are answered by the sample provider.",
                "config.yaml: user_access: users without api_key got the key <user_id>-token, which anybody can guess: team-alpha-token, team-beta-token.",
            ],
            result.Notices.Select(notice => notice.ToString()));
        Assert.Equal(RoutingStrategy.UsageBased, config.Router.Strategy);
        Assert.Equal(
            [("team-alpha", 500m, "team-alpha-token"), ("team-beta", 200m, "team-beta-token")],
            config.UserAccess.Select(user => (user.UserId, user.MaxBudget!.Value.ToDollars(), user.ApiKey.Reveal())));
        Assert.Equal(["gpt-4", "claude-2"], config.UserAccess[0].Models);
        Assert.Equal(Money.FromDollars(200), config.UserAccess[1].MaxBudget);
    }

    [Fact]
    public void With_the_keys_in_the_environment_the_providers_themselves_are_called()
    {
        var config = Config.Development(Yaml, ("OPENAI_API_KEY", "sk-o"), ("ANTHROPIC_API_KEY", "sk-a")).Good();

        Assert.Equal(
            [
                ("gpt-4", "openai", "gpt-4", "https://api.openai.com/v1", "sk-o", false),
                ("claude-2", "anthropic", "claude-2", "https://api.anthropic.com", "sk-a", false),
            ],
            config.Models.Select(m => (m.ModelName, m.Provider, m.ProviderModel, m.ApiBase, m.ApiKey?.Reveal(), m.UsesSampleProvider)));
        Assert.Equal([ProviderProtocol.OpenAi, ProviderProtocol.Anthropic], config.Models.Select(model => model.Protocol));
    }

    [Fact]
    public void Outside_of_Development_each_missing_key_is_an_error_with_its_line()
    {
        var result = Config.Production(Yaml);

        Assert.Null(result.Config);
        Assert.Empty(result.Notices);
        Assert.Equal(
            [(4, "model_list[0].litellm_params.model"), (7, "model_list[1].litellm_params.model"), (13, "user_access[0].api_key"), (16, "user_access[1].api_key")],
            result.Errors.Select(error => (error.Line, error.Key)));
        Assert.Contains("OPENAI_API_KEY", result.Errors[0].Message, StringComparison.Ordinal);
    }
}
