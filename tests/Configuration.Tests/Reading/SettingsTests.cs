using Gateway.Contracts;

namespace Gateway.Configuration.Tests.Reading;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("usage-based", RoutingStrategy.UsageBased)]
    [InlineData("usage-based-routing", RoutingStrategy.UsageBased)]
    [InlineData("usage-based-routing-v2", RoutingStrategy.UsageBased)]
    [InlineData("latency-based", RoutingStrategy.LatencyBased)]
    [InlineData("latency-based-routing", RoutingStrategy.LatencyBased)]
    [InlineData("cost-based", RoutingStrategy.CostBased)]
    [InlineData("cost-based-routing", RoutingStrategy.CostBased)]
    [InlineData("simple-shuffle", RoutingStrategy.SimpleShuffle)]
    [InlineData("least-busy", RoutingStrategy.LeastBusy)]
    public void Every_spelling_of_a_strategy_is_accepted(string written, RoutingStrategy strategy) =>
        Assert.Equal(strategy, Read($"router_settings: {{routing_strategy: {written}}}").Good().Router.Strategy);

    [Fact]
    public void The_router_is_read_and_wins_over_litellm_settings()
    {
        var router = Read("""
            router_settings:
              num_retries: 1
              timeout: 30
              allowed_fails: 7
              cooldown_time: 0.5
              fallbacks: [{gpt-4: [gpt-4o]}]
              default_fallbacks: [gpt-4o]
              context_window_fallbacks: [{gpt-4: [gpt-4o]}]
              model_group_alias: {four: gpt-4, hidden-four: {model: gpt-4, hidden: true}}
              retry_policy: {TimeoutErrorRetries: 5, BadRequestErrorRetries: 0}
              model_group_retry_policy: {gpt-4: {RateLimitErrorRetries: 9}}
              provider_budget_config: {openai: {budget_limit: 100, time_period: 1d}}
            litellm_settings:
              num_retries: 9
              request_timeout: 99
              fallbacks: [{gpt-4: [four]}, {gpt-4o: [gpt-4]}]
            """).Good().Router;

        Assert.Equal((1, TimeSpan.FromSeconds(30), 7, true, TimeSpan.FromSeconds(0.5)), (router.NumRetries, router.Timeout, router.AllowedFails, router.AllowedFailsIsStated, router.CooldownTime));
        Assert.Equal(["gpt-4o"], router.Fallbacks["gpt-4"]);
        Assert.Equal(["gpt-4"], router.Fallbacks["gpt-4o"]);
        Assert.Equal(["gpt-4o"], router.DefaultFallbacks);
        Assert.Equal(["gpt-4o"], router.ContextWindowFallbacks["gpt-4"]);
        Assert.Equal((new ModelAlias("gpt-4", false), new ModelAlias("gpt-4", true)), (router.ModelGroupAlias["four"], router.ModelGroupAlias["hidden-four"]));
        Assert.Equal((5, 0, null), (router.RetryPolicy.Timeout, router.RetryPolicy.BadRequest, router.RetryPolicy.RateLimit));
        Assert.Equal(9, router.ModelGroupRetryPolicy["gpt-4"].RateLimit);
        Assert.Equal(new ProviderBudget(Money.FromDollars(100), "1d"), router.ProviderBudgets["openai"]);
    }

    [Fact]
    public void What_is_not_stated_has_its_documented_default()
    {
        var config = Read("").Good();

        Assert.Equal((RoutingStrategy.SimpleShuffle, 3, TimeSpan.FromMinutes(10), 3, TimeSpan.FromSeconds(5)), (config.Router.Strategy, config.Router.NumRetries, config.Router.Timeout, config.Router.AllowedFails, config.Router.CooldownTime));
        Assert.Equal((UnpricedModels.Flag, "UTC", 32L << 20, TimeSpan.FromSeconds(1)), (config.UnpricedModels, config.TimeZone, config.General.MaxRequestBytes, config.General.BudgetWait));
    }

    [Fact]
    public void Litellm_settings_hold_where_the_router_is_silent()
    {
        var router = Read("litellm_settings: {num_retries: 9, request_timeout: 99, allowed_fails: 2, cooldown_time: 60, default_fallbacks: [gpt-4o]}").Good().Router;
        Assert.Equal((9, TimeSpan.FromSeconds(99), 2, TimeSpan.FromSeconds(60)), (router.NumRetries, router.Timeout, router.AllowedFails, router.CooldownTime));
        Assert.Equal(["gpt-4o"], router.DefaultFallbacks);
    }

    [Fact]
    public void General_and_litellm_settings_are_read()
    {
        var config = Read("""
            general_settings: {master_key: os.environ/MASTER, max_request_size_mb: 1.5, global_max_parallel_requests: 8, litellm_key_header_name: X-Key, budget_wait: 0, user_header_name: X-User, reject_clientside_metadata_tags: true}
            litellm_settings: {drop_params: true, max_budget: 1_000, budget_duration: 30d, timezone: Europe/Berlin}
            unpriced_models: refuse
            """, ("MASTER", "sk-m")).Good();

        Assert.Equal(("sk-m", 3L << 19, 8, "X-Key", TimeSpan.Zero), (config.General.MasterKey!.Reveal(), config.General.MaxRequestBytes, config.General.GlobalMaxParallelRequests, config.General.KeyHeaderName, config.General.BudgetWait));
        Assert.Equal(("X-User", true), (config.General.UserHeaderName, config.General.RejectClientsideTags));
        Assert.Equal((true, Money.FromDollars(1_000), "30d"), (config.LiteLlm.DropParams, config.LiteLlm.MaxBudget, config.LiteLlm.BudgetDuration));
        Assert.Equal(("Europe/Berlin", UnpricedModels.Refuse), (config.TimeZone, config.UnpricedModels));
    }

    [Fact]
    public void A_fallback_may_name_a_deployment_and_an_alias() =>
        Read("router_settings: {fallbacks: [{gpt-4: [the-id, four]}], model_group_alias: {four: gpt-4}}").Good();

    [Theory]
    [InlineData("router_settings: {fallbacks: [{gpt-4: [gpt-4]}]}", "'gpt-4' falls back to itself.")]
    [InlineData("router_settings: {fallbacks: [{gpt-4: gpt-4o}]}", "a list of names is expected here, and this is a single value.")]
    [InlineData("router_settings: {model_group_alias: {a: b}}", "there is no model 'b' in model_list.")]
    [InlineData("router_settings: {provider_budget_config: {opnai: {budget_limit: 1}}}", "'opnai' is no provider that the gateway knows.")]
    [InlineData("general_settings: {price_file: /no/such/prices.json}", "there is no file '/no/such/prices.json'.")]
    [InlineData("general_settings: {master_key: ''}", "it is empty.")]
    [InlineData("litellm_settings: {drop_params: maybe}", "'maybe' is not true or false.")]
    [InlineData("router_settings: []", "a map of keys is expected here, and this is a list.")]
    public void A_wrong_setting_is_an_error(string yaml, string message) => Assert.Equal(message, Read(yaml).OnlyError().Message);

    [Theory]
    [InlineData("modle_list: []", "modle_list", "Did you mean 'model_list'?")]
    [InlineData("router_settings: {routing_stratgey: x}", "router_settings.routing_stratgey", "Did you mean 'routing_strategy'?")]
    [InlineData("general_settings: {zzzzzzzz: 1}", "general_settings.zzzzzzzz", "Remove it, or see docs/configuration.md for the keys.")]
    public void An_unknown_key_warns_with_the_nearest_one(string yaml, string key, string remedy)
    {
        var result = Read(yaml);
        result.Good();
        var warning = Assert.Single(result.Warnings);
        Assert.Equal((key, remedy, "this key is unknown and has no effect."), (warning.Key, warning.Remedy, warning.Message));
    }

    [Fact]
    public void A_key_of_LiteLLMs_without_effect_warns_and_says_so()
    {
        var warning = Assert.Single(Read("general_settings: {database_url: postgres://x}").Warnings);
        Assert.Equal("this key of LiteLLM's has no effect here.", warning.Message);
    }

    private static ConfigResult Read(string yaml, params (string Name, string Value)[] variables) => Config.Development(
        "model_list: [{model_name: gpt-4, litellm_params: {model: openai/gpt-4}, model_info: {id: the-id}}, {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}]\n" + yaml,
        variables);

    [Fact]
    public void What_may_be_sent_to_providers_is_named_one_by_one_and_never_a_credential()
    {
        var config = Config.Development(Config.Minimal + """
            general_settings: {allowed_upstream_networks: [169.254.10.0/24], forwarded_client_headers: [X-Trace]}
            """, ("OPENAI_API_KEY", "k")).Good();
        Assert.True(Assert.Single(config.General.AllowedUpstreamNetworks).Contains(System.Net.IPAddress.Parse("169.254.10.9")));
        Assert.Equal(["X-Trace"], config.General.ForwardedClientHeaders);

        var refused = Config.Development(Config.Minimal + """
            general_settings: {allowed_upstream_networks: [here], forwarded_client_headers: [Authorization, "X Y"]}
            """, ("OPENAI_API_KEY", "k"));
        Assert.Equal(["here", "Authorization", "X Y"], refused.Errors.Select(error => error.Value));
    }
}
