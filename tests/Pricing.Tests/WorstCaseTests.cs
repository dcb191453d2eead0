using Gateway.Contracts;

namespace Gateway.Pricing.Tests;

public sealed class WorstCaseTests
{
    // gpt-4: 1,000 x 30/M = 0.03; 2 answers of 500 x 60/M = 0.06; together 0.09.
    [Fact]
    public void Each_answer_may_be_as_long_as_the_longest() =>
        Assert.Equal(Money.FromDollars(0.09m), CostCalculator.WorstCase(1_000, 500, 2, Price("openai", "gpt-4")));

    // gemini-2.5-pro with 250,000: long tier, 250,000 x 2.5/M = 0.625; 1,000 x 15/M = 0.015; together 0.64.
    [Fact]
    public void T_19_the_reservation_uses_the_tier_of_the_prompt() =>
        Assert.Equal(Money.FromDollars(0.64m), CostCalculator.WorstCase(250_000, 1_000, 1, Price("gemini", "gemini-2.5-pro")));

    // claude-sonnet-4-6, text only: 1,000 x 3/M = 0.003; with a cache of an hour: 1,000 x 6/M = 0.006. Output 100 x 15/M = 0.0015.
    [Theory]
    [InlineData(PossibleTokens.Text, 0.0045)]
    [InlineData(PossibleTokens.CacheWrite5m, 0.00525)]
    [InlineData(PossibleTokens.CacheWrite1h, 0.0075)]
    [InlineData(PossibleTokens.All, 0.0075)]
    public void Only_what_the_request_can_use_is_counted(PossibleTokens possible, double dollars) =>
        Assert.Equal(Money.FromDollars((decimal)dollars), CostCalculator.WorstCase(1_000, 100, 1, Price("anthropic", "claude-sonnet-4-6"), possible));

    // gpt-4o in a batch: 1,000 x 1.25/M = 0.00125; 100 x 5/M = 0.0005. Azure states none of batches: 0.0025 + 0.001.
    [Theory]
    [InlineData("openai", 0.00175)]
    [InlineData("azure", 0.0035)]
    public void A_batch_is_billed_as_one_where_there_is_a_price_of_batches(string provider, double dollars) =>
        Assert.Equal(Money.FromDollars((decimal)dollars), CostCalculator.WorstCase(1_000, 100, 1, Price(provider, "gpt-4o"), PossibleTokens.Text, ServiceTier.Batch));

    [Fact]
    public void Absurd_bounds_do_not_overflow() =>
        Assert.True(CostCalculator.WorstCase(long.MaxValue, long.MaxValue, int.MaxValue, Price("openai", "gpt-4")) > Money.Zero);

    [Fact]
    public void The_calculation_of_a_request_allocates_nothing()
    {
        var price = Price("anthropic", "claude-sonnet-4-5");
        var usage = new TokenUsage { Input = 500, CachedInput = 250_000, CacheWrite1h = 7, Output = 300, Reasoning = 20 };
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            _ = CostCalculator.Cost(usage, price, new CostUnits(ServiceTier.Priority));
            _ = CostCalculator.WorstCase(1_000, 500, 1, price);
            _ = price.Describe(ServiceTier.Standard, 250_507);
        }
    }

    private static ModelPrice Price(string provider, string model) => PriceCatalogue.BuiltIn.Find(provider, model)!;
}
