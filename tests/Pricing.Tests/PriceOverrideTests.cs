using Gateway.Contracts;

namespace Gateway.Pricing.Tests;

public sealed class PriceOverrideTests
{
    private static readonly PriceCatalogue Catalogue = PriceCatalogue.BuiltIn;

    // 0.000005 and 0.000015 a token are 5 and 15 per million: 1,000 x 5/M = 0.005; cached 1,000 x 5/M = 0.005 (the catalogue's 1.25 no longer
    // applies); 100 x 15/M = 0.0015; together 0.0115.
    [Fact]
    public void T_41_stated_prices_override_the_catalogue_in_every_class()
    {
        var price = Catalogue.Find("openai", "gpt-4o", null, new PriceOverride { InputCostPerToken = 0.000005m, OutputCostPerToken = 0.000015m });

        Assert.Equal(Money.FromDollars(0.0115m), CostCalculator.Cost(new() { Input = 1_000, CachedInput = 1_000, Output = 100 }, price!));
        Assert.Equal("openai/gpt-4o@config input=5 output=15", price!.Describe());
    }

    [Fact]
    public void T_41_tiers_of_the_catalogue_do_not_charge_list_prices_beside_stated_ones()
    {
        var price = Catalogue.Find("gemini", "gemini-2.5-pro", null, new PriceOverride { InputCostPerToken = 0.000001m, OutputCostPerToken = 0.000002m });

        // 250,000 x 1/M = 0.25; 1,000 x 2/M = 0.002.
        Assert.Equal(Money.FromDollars(0.252m), CostCalculator.Cost(new() { Input = 250_000, Output = 1_000 }, price!));
    }

    [Fact]
    public void T_41_a_model_that_the_catalogue_does_not_know_costs_what_is_stated()
    {
        var price = Catalogue.Find("hosted_vllm", "llama", null, new PriceOverride { InputCostPerToken = 0.0000001m, OutputCostPerToken = 0.0000002m });

        Assert.Equal(new Money(10 * 100 + 5 * 200), CostCalculator.Cost(new() { Input = 10, Output = 5 }, price!));
    }

    [Fact]
    public void T_41_a_stated_price_of_nothing_is_a_price()
    {
        var price = Catalogue.Find("openai", "gpt-4", null, new PriceOverride { InputCostPerToken = 0, OutputCostPerToken = 0 });

        Assert.Equal(Money.Zero, CostCalculator.Cost(new() { Input = 10, Output = 5 }, price!));
    }

    [Fact]
    public void One_stated_class_leaves_the_others_as_the_catalogue_has_them()
    {
        var price = Catalogue.Find("openai", "gpt-4o", null, new PriceOverride { CacheReadInputTokenCost = 0.000001m })!;

        Assert.Equal((2.5m, 1m, 10m), (price.Rates.Input, price.Rates.CachedInput, price.Rates.Output));
        Assert.Equal(17m, price.Select(ServiceTier.Priority, 0).Rates.Output);
    }

    [Fact]
    public void Long_prompts_and_service_tiers_can_be_stated()
    {
        var price = Catalogue.Find("x", "y", null, new PriceOverride
        {
            InputCostPerToken = 0.000001m,
            OutputCostPerToken = 0.000002m,
            InputCostPerTokenAbove = 0.000003m,
            InputCostPerTokenPriority = 0.000009m,
            CacheCreationInputTokenCost = 0.000005m,
            CacheCreationInputTokenCostAbove1Hour = 0.000008m,
            CostPerRequest = 0.5m,
        })!;

        Assert.Equal((3m, 2m), (price.Select(ServiceTier.Standard, 200_001).Rates.Input, price.Select(ServiceTier.Standard, 200_001).Rates.Output));
        Assert.Equal((9m, 2m), (price.Select(ServiceTier.Priority, 5).Rates.Input, price.Select(ServiceTier.Priority, 5).Rates.Output));
        Assert.Equal((5m, 8m, 0.5m), (price.Rates.CacheWrite5m, price.Rates.CacheWrite1h, price.PerRequest));
    }
}
