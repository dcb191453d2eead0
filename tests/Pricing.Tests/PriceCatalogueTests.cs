namespace Gateway.Pricing.Tests;

public sealed class PriceCatalogueTests
{
    private static readonly PriceCatalogue Catalogue = PriceCatalogue.BuiltIn;

    [Fact]
    public void There_are_at_least_150_models_each_with_source_and_date()
    {
        Assert.True(Catalogue.Prices.Count >= 150);
        Assert.All(Catalogue.Prices, price => Assert.NotEmpty(price.Source));
        Assert.All(Catalogue.Prices, price => Assert.Matches("^20[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?$", price.Date));
    }

    [Fact]
    public void Cached_input_never_costs_more_than_input_and_a_cache_write_never_less() => Assert.All(Catalogue.Prices, price =>
        Assert.All(price.Tiers, tier =>
        {
            Assert.True(tier.Rates.CachedInput <= tier.Rates.Input, price.Describe());
            Assert.True(tier.Rates.CacheWrite1h >= tier.Rates.CacheWrite5m, price.Describe());
        }));

    [Fact]
    public void A_dated_name_has_the_tiers_of_its_undated_one_when_they_cost_the_same() => Assert.All(Catalogue.Prices, dated =>
    {
        var (stem, date) = ModelNames.SplitDate(dated.Model);
        if (date is not null && dated.Provider == "openai" && Catalogue.Find("openai", stem) is { } undated
            && (undated.Rates.Input, undated.Rates.Output) == (dated.Rates.Input, dated.Rates.Output))
        {
            Assert.Equal(undated.Tiers.Select(tier => (tier.Service, tier.AbovePromptTokens)), dated.Tiers.Select(tier => (tier.Service, tier.AbovePromptTokens)));
        }
    });

    [Theory]
    [InlineData("openai", "gpt-4o-2024-11-20", "gpt-4o-2024-11-20")]
    [InlineData("openai", "gpt-4o-2024-08-06", "gpt-4o")]
    [InlineData("openai", "gpt-5.1", "gpt-5.1-2025-11-13")]
    [InlineData("openai", "gpt-4-0314", "gpt-4")]
    [InlineData("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5")]
    [InlineData("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022")]
    [InlineData("anthropic", "claude-opus-4-1", "claude-opus-4-1-20250805")]
    [InlineData("anthropic", "CLAUDE-2", "claude-2")]
    [InlineData("cohere", "command-a", "command-a-03-2025")]
    [InlineData("mistral", "mistral-large", "mistral-large-latest")]
    [InlineData("azure", "gpt-35-turbo", "gpt-3.5-turbo")]
    [InlineData("vertex_ai", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5")]
    [InlineData("bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001")]
    [InlineData("bedrock", "converse/anthropic.claude-v2:1", "anthropic.claude-v2:1")]
    [InlineData("openrouter", "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5")]
    public void Dated_and_undated_names_find_each_other(string provider, string asked, string found) =>
        Assert.Equal(found, Catalogue.Find(provider, asked)?.Model);

    [Theory]
    [InlineData("openai", "gpt-4o-mini-but-better")]
    [InlineData("openai", "gpt-99")]
    [InlineData("anthropic", "gpt-4")]
    [InlineData("hosted_vllm", "llama")]
    [InlineData("openai", "")]
    public void A_model_that_is_not_listed_has_no_price(string provider, string model) => Assert.Null(Catalogue.Find(provider, model));

    [Theory]
    [InlineData("openai", "gpt-4", 30, 60)]
    [InlineData("openai", "gpt-3.5-turbo", 0.5, 1.5)]
    [InlineData("anthropic", "claude-2", 8, 24)]
    [InlineData("anthropic", "claude-instant-1.2", 0.8, 2.4)]
    [InlineData("cohere", "command-r-plus", 2.5, 10)]
    [InlineData("openai", "text-embedding-3-large", 0.13, 0)]
    public void The_missions_models_have_their_prices(string provider, string model, double input, double output)
    {
        var rates = Catalogue.Find(provider, model)!.Rates;
        Assert.Equal(((decimal)input, (decimal)output), (rates.Input, rates.Output));
    }

    [Fact]
    public void The_description_says_what_was_charged()
    {
        Assert.Equal("openai/gpt-4@2026-11 input=30 output=60", Catalogue.Find("openai", "gpt-4")!.Describe());
        Assert.Equal(
            "gemini/gemini-2.5-pro@2026-11 above=200000 input=2.5 output=15 cached=0.25",
            Catalogue.Find("gemini", "gemini-2.5-pro")!.Describe(ServiceTier.Standard, 200_001));
        Assert.Equal("cohere/rerank-v3.5@2026-11 input=0 output=0 per_request=0.002", Catalogue.Find("cohere", "rerank-v3.5")!.ToString());
    }

    [Fact]
    public void A_mounted_file_replaces_what_it_names_and_adds_what_is_new()
    {
        var mounted = PriceCatalogue.Read(
            """{"schema":1,"version":"acme-7","prices":[{"provider":"openai","model":"gpt-4","input":25,"output":50},{"provider":"acme","model":"big","input":1,"output":2}]}""",
            "prices.json");

        Assert.Empty(mounted.Errors);
        var both = Catalogue.With(mounted.Catalogue!);
        Assert.Equal("openai/gpt-4@acme-7 input=25 output=50", both.Find("openai", "gpt-4")!.Describe());
        Assert.Equal(2m, both.Find("acme", "big")!.Rates.Output);
        Assert.Equal(Catalogue.Find("anthropic", "claude-2"), both.Find("anthropic", "claude-2"));
        Assert.Equal("2026-11+acme-7", both.Version);
    }

    [Fact]
    public void T_41_an_unreadable_price_file_is_an_error_and_not_a_catalogue_without_prices()
    {
        Assert.Null(PriceCatalogue.Read("{", "p.json").Catalogue);
        Assert.Null(PriceCatalogue.Read("[]", "p.json").Catalogue);
        Assert.Null(PriceCatalogue.Read("""{"prices":{}}""", "p.json").Catalogue);
    }

    [Fact]
    public void All_errors_of_a_price_file_are_named_at_once()
    {
        var result = PriceCatalogue.Read(
            """
            {"version":"x","prices":[
              {"provider":"a","model":"negative","input":-1,"output":2},
              {"provider":"a","model":"text","input":"1","output":2},
              {"provider":"a","model":"nothing"},
              {"model":"nobodys","input":1,"output":2},
              {"provider":"a","model":"typo","input":1,"output":2,"cashedInput":1},
              {"provider":"a","model":"free","input":0,"output":0},
              {"provider":"a","model":"tier","input":1,"output":2,"tiers":[{"input":1,"output":2},{"service":"gold","input":1,"output":2}]},
              {"provider":"a","model":"twice","input":1,"output":2},
              {"provider":"A","model":"TWICE","input":1,"output":2}
            ]}
            """,
            "p.json");

        Assert.Null(result.Catalogue);
        Assert.Equal(
            [
                "p.json: prices[0].input", "p.json: prices[0].input", "p.json: prices[1].input", "p.json: prices[1].input", "p.json: prices[2].input",
                "p.json: prices[3].provider", "p.json: prices[4].cashedInput", "p.json: prices[5].input", "p.json: prices[6].tiers",
                "p.json: prices[6].tiers.service", "p.json: prices[8].model",
            ],
            result.Errors.Select(error => error[..error.IndexOf(": ", 8, StringComparison.Ordinal)]));
    }
}
