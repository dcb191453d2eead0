using Gateway.Contracts;

namespace Gateway.Configuration.Tests.Reading;

public sealed class UserAccessTests
{
    [Fact]
    public void Everything_of_a_user_is_read()
    {
        var user = Read("""
              - user_id: team-alpha
                models: [gpt-4, "anthropic/*"]
                max_budget: 500.00
                soft_budget: 400
                budget_duration: 1mo
                rpm_limit: 60
                tpm_limit: 100000
                max_parallel_requests: 4
                team_id: payments
                api_key: os.environ/ALPHA
            """, ("ALPHA", "sk-alpha")).Good().UserAccess[0];

        Assert.Equal(("team-alpha", Money.FromDollars(500), Money.FromDollars(400), "1mo"), (user.UserId, user.MaxBudget, user.SoftBudget, user.BudgetDuration));
        Assert.Equal((60L, 100_000L, 4, "payments", "sk-alpha", false), (user.RpmLimit, user.TpmLimit, user.MaxParallelRequests, user.TeamId, user.ApiKey.Reveal(), user.ApiKeyIsMade));
        Assert.Equal(["gpt-4", "anthropic/*"], user.Models);
    }

    [Theory]
    [InlineData("gpt-4")]
    [InlineData("anthropic/claude-2")]
    [InlineData("anthropic/*")]
    [InlineData("*")]
    [InlineData("all-proxy-models")]
    [InlineData("gpt-*")]
    public void A_grant_may_be_a_name_one_that_a_pattern_covers_or_a_pattern(string model) =>
        Read($"  - {{user_id: u, models: ['{model}']}}").Good();

    [Theory]
    [InlineData("gpt-5", "Did you mean 'gpt-4'?")]
    [InlineData("o-*", "There are: anthropic/*, gpt-4.")]
    public void A_grant_of_a_model_that_does_not_exist_is_an_error(string model, string remedy) =>
        Assert.Equal(remedy, Read($"  - {{user_id: u, models: ['{model}']}}").OnlyError().Remedy);

    [Theory]
    [InlineData("  - {models: [gpt-4]}", "user_access[0].user_id")]
    [InlineData("  - {user_id: u}", "user_access[0].models")]
    [InlineData("  - {user_id: a/b, models: [gpt-4]}", "user_access[0].user_id")]
    [InlineData("  - {user_id: u, models: [gpt-4], max_budget: -1}", "user_access[0].max_budget")]
    [InlineData("  - {user_id: u, models: [gpt-4], budget_duration: 1x, max_budget: 1}", "user_access[0].budget_duration")]
    [InlineData("  - {user_id: u, models: [gpt-4], rpm_limit: 1.5}", "user_access[0].rpm_limit")]
    [InlineData("  - {user_id: u, models: [gpt-4], api_key: os.environ/NO}", "user_access[0].api_key")]
    [InlineData("  - just-a-name", "user_access[0]")]
    public void A_wrong_entry_is_one_error(string yaml, string key) => Assert.Equal(key, Read(yaml).OnlyError().Key);

    [Fact]
    public void Two_users_with_one_key_are_an_error_that_does_not_show_it()
    {
        var error = Read("  - {user_id: u, models: [gpt-4], api_key: sk-hunter2}\n  - {user_id: v, models: [gpt-4], api_key: sk-hunter2}").OnlyError();
        Assert.Equal("the same key is that of u.", error.Message);
        Assert.DoesNotContain("hunter2", error.ToString() + error.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_list_of_models_grants_none_and_warns()
    {
        var result = Read("  - {user_id: u, models: []}");
        Assert.Empty(result.Good().UserAccess[0].Models);
        Assert.Single(result.Warnings);
    }

    private static ConfigResult Read(string yaml, params (string Name, string Value)[] variables) => Config.Development(
        "model_list: [{model_name: gpt-4, litellm_params: {model: openai/gpt-4}}, {model_name: 'anthropic/*', litellm_params: {model: 'anthropic/*'}}]\nuser_access:\n" + yaml,
        variables);
}
