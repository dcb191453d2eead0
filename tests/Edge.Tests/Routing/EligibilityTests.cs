using Gateway.Configuration;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Tests.Routing;

public sealed class EligibilityTests
{
    private static readonly RouterSettings Tags = new() { EnableTagFiltering = true };
    private static readonly RouterSettings Checks = new() { EnablePreCallChecks = true };

    [Fact]
    public void Tags_choose_nothing_unless_the_router_is_told_to()
    {
        var all = new[] { Make("free", "free"), Make("paid", "paid") };
        Assert.Same(all, Eligibility.ByTags(all, new RouterSettings(), ["paid"]));
    }

    [Fact]
    public void A_request_goes_where_all_of_its_tags_are_or_where_one_is_when_that_is_enough()
    {
        var all = new[] { Make("eu", "eu"), Make("both", "eu", "paid"), Make("plain") };
        Assert.Equal(["both"], Ids(Eligibility.ByTags(all, Tags, ["eu", "paid"])));
        Assert.Equal(["eu", "both"], Ids(Eligibility.ByTags(all, Tags with { TagFilteringMatchAny = true }, ["eu", "paid"])));
    }

    [Fact]
    public void What_no_tag_claims_goes_to_the_default_deployments_and_without_those_nowhere()
    {
        var all = new[] { Make("paid", "paid"), Make("rest", "default") };
        Assert.Equal(["rest"], Ids(Eligibility.ByTags(all, Tags, ["unknown"])));
        Assert.Equal(["rest"], Ids(Eligibility.ByTags(all, Tags, [])));
        Assert.Empty(Eligibility.ByTags([Make("paid", "paid")], Tags, ["unknown"]));
        Assert.Equal(["paid"], Ids(Eligibility.ByTags([Make("paid", "paid")], Tags, [])));
    }

    [Fact]
    public void A_prompt_that_is_too_long_goes_only_where_it_fits()
    {
        var all = new[] { Make("small") , Make("large"), Make("silent") };
        all[0] = With(all[0], 8_000);
        all[1] = With(all[1], 128_000);
        Assert.Equal(["large", "silent"], Ids(Eligibility.ByContext(all, Checks, 9_000)));
        Assert.Equal(["small", "large", "silent"], Ids(Eligibility.ByContext(all, Checks, 8_000)));
        Assert.Same(all, Eligibility.ByContext(all, new RouterSettings(), 9_000));
    }

    [Fact]
    public void T12_Where_models_without_a_price_are_refused_none_serves_beside_a_priced_one()
    {
        var all = new[] { Make("unpriced"), Make(Make("priced").Configuration, new ModelPrice("openai", "gpt-4", new PriceTier(ServiceTier.Standard, 0, new TokenRates { Input = 1, Output = 2 }))) };
        Assert.Equal(["priced"], Ids(Eligibility.ByPrice(all, UnpricedModels.Refuse)));
        Assert.Same(all, Eligibility.ByPrice(all, UnpricedModels.Flag));
    }

    [Theory]
    [InlineData("provider_timeout", 1)]
    [InlineData("provider_rate_limited", 4)]
    [InlineData("provider_auth_failed", 0)]
    [InlineData("provider_error", 3)]
    public void The_kind_of_error_decides_how_often_is_tried_again(string code, int tries)
    {
        var rule = new RetryRule(3, new RetryPolicy { Timeout = 1, RateLimit = 4, Authentication = 0 });
        Assert.Equal(tries, rule.After(new AttemptResult(AttemptOutcome.Failed, true, new GatewayError(502, code, "It failed."))));
    }

    [Fact]
    public void What_the_request_itself_is_to_blame_for_is_tried_again_only_where_the_policy_says_so()
    {
        var refused = AttemptResult.Of(new ProviderError(ProviderErrorKind.BadRequest, "No."), 400, null);
        Assert.Equal(0, new RetryRule(3, new RetryPolicy()).After(refused));
        Assert.Equal(2, new RetryRule(3, new RetryPolicy { BadRequest = 2 }).After(refused));
    }

    private static string[] Ids(Deployment[] deployments) => [.. deployments.Select(static deployment => deployment.Id)];

    private static Deployment With(Deployment deployment, int maxInputTokens) => Make(deployment.Configuration with { MaxInputTokens = maxInputTokens });

    private static Deployment Make(string id, params string[] tags) => Make(new ModelDeployment
    {
        ModelName = "gpt-4",
        DeploymentId = id,
        Provider = "openai",
        ProviderModel = "gpt-4",
        Protocol = ProviderProtocol.OpenAi,
        Tags = tags,
    });

    private static Deployment Make(ModelDeployment model, ModelPrice? price = null) => new(
        model, "gpt-4", ChatProviders.Find("openai")!, new ProviderTarget("gpt-4", new Uri("http://127.0.0.1:9/v1"), "sk"), price, new DeploymentHealth(), []);
}
