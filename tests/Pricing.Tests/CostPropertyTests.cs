using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Gateway.Contracts;

namespace Gateway.Pricing.Tests;

/// <summary>What holds for every price of the catalogue and every usage.</summary>
[Properties(Arbitrary = [typeof(Arbitraries)])]
public sealed class CostPropertyTests
{
    [Property(MaxTest = 500)]
    public void The_cost_is_the_exact_sum_rounded_once(ModelPrice price, TokenUsage usage, ServiceTier tier)
    {
        // Another way to the same number: integers. Rates have at most 7 decimals, so 10 million times a rate is whole.
        var rates = price.Select(tier, usage.PromptTokens).Rates;
        Int128 sum = 0;
        foreach (var (count, rate) in new[]
        {
            (usage.Input, rates.Input), (usage.CachedInput, rates.CachedInput), (usage.CacheWrite5m, rates.CacheWrite5m),
            (usage.CacheWrite1h, rates.CacheWrite1h), (usage.InputAudio, rates.InputAudio), (usage.Output, rates.Output),
            (usage.Reasoning, rates.Reasoning), (usage.OutputAudio, rates.OutputAudio),
        })
        {
            var whole = rate * 10_000_000m;
            Assert.Equal(whole, decimal.Truncate(whole));
            sum += (Int128)count * (Int128)whole;
        }

        // sum / 10^7 dollars per 10^6 tokens x 10^9 nano-dollars = sum / 10^4 nano-dollars.
        var (quotient, rest) = Int128.DivRem(sum, 10_000);
        var up = rest > 5_000 || (rest == 5_000 && Int128.IsOddInteger(quotient));
        var expected = new Money((long)(quotient + (up ? 1 : 0)));
        var perUnit = Money.FromDollars((usage.Images * price.PerImage) + price.PerRequest);
        Assert.Equal(expected + perUnit, CostCalculator.Cost(usage, price, new CostUnits(tier)));
    }

    [Property(MaxTest = 500)]
    public void More_output_never_costs_less(ModelPrice price, TokenUsage usage, PositiveInt more)
    {
        var larger = usage with { Output = usage.Output + more.Get };
        Assert.True(CostCalculator.Cost(larger, price) >= CostCalculator.Cost(usage, price));
    }

    [Property(MaxTest = 500)]
    public void More_input_never_costs_less(ModelPrice price, TokenUsage usage, PositiveInt more)
    {
        var larger = usage with { Input = usage.Input + more.Get };
        Assert.True(CostCalculator.Cost(larger, price) >= CostCalculator.Cost(usage, price));
    }

    [Property(MaxTest = 500)]
    public void Nonsense_from_a_provider_neither_throws_nor_gives_money_back(ModelPrice price, long a, long b, long c)
    {
        var usage = new TokenUsage { Input = a, CachedInput = b, CacheWrite1h = c, Output = a, Reasoning = b, OutputAudio = long.MaxValue, Images = -1 };
        Assert.True(CostCalculator.Cost(usage, price) >= Money.Zero);
    }

    [Property(MaxTest = 1_000)]
    public void T_19_no_usage_within_the_bounds_costs_more_than_the_worst_case(ModelPrice price, TokenUsage usage, byte slack, ServiceTier tier, bool servedAsAsked)
    {
        usage = usage with { Images = 0 };
        var worst = CostCalculator.WorstCase(usage.PromptTokens + slack, usage.CompletionTokens, 1, price, PossibleTokens.All, tier);
        // Any other tier may be served and billed as the standard one.
        var served = servedAsAsked || (tier == ServiceTier.Batch && price.Has(tier)) ? tier : ServiceTier.Standard;
        Assert.True(CostCalculator.Cost(usage, price, new CostUnits(served)) <= worst);
    }

    private static class Arbitraries
    {
        public static Arbitrary<ModelPrice> Price() => Gen.Elements(PriceCatalogue.BuiltIn.Prices.ToArray()).ToArbitrary();

        public static Arbitrary<TokenUsage> Usage()
        {
            var count = Gen.OneOf(Gen.Constant(0L), Gen.Choose(0, 100).Select(n => (long)n), Gen.Choose(0, 400_000).Select(n => (long)n));
            return (from input in count
                    from cached in count
                    from write5m in count
                    from write1h in count
                    from audio in count
                    from output in count
                    from reasoning in count
                    from outputAudio in count
                    from images in Gen.Choose(0, 3)
                    select new TokenUsage
                    {
                        Input = input, CachedInput = cached, CacheWrite5m = write5m, CacheWrite1h = write1h, InputAudio = audio,
                        Output = output, Reasoning = reasoning, OutputAudio = outputAudio, Images = images,
                    }).ToArbitrary();
        }
    }
}
