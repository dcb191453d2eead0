using Gateway.Edge.Routing;

namespace Gateway.Edge.Tests.Routing;

public sealed class StrategyTests
{
    private static readonly Candidate Idle = new(1, 0, 0, 0, null, null, 0, 10);

    [Fact]
    public void SimpleShuffle_ChoosesInProportionToTheWeights()
    {
        var chance = new Random(7);
        var strategy = new SimpleShuffleStrategy();
        var heavy = 0;
        for (var i = 0; i < 20_000; i++)
        {
            heavy += strategy.Score(Idle with { Weight = 3 }, chance.NextDouble()) < strategy.Score(Idle, chance.NextDouble()) ? 1 : 0;
        }

        Assert.InRange(heavy / 20_000.0, 0.73, 0.77);
    }

    [Fact]
    public void UsageBased_PrefersTheOneWithMoreOfItsLimitLeft()
    {
        var strategy = new UsageBasedStrategy();

        Assert.True(strategy.Score(Idle with { TokensThisMinute = 50_000, TpmLimit = 1_000_000 }, 0.9) < strategy.Score(Idle with { TokensThisMinute = 9_000, TpmLimit = 10_000 }, 0.1));
        Assert.True(strategy.Score(Idle with { RequestsThisMinute = 1 }, 0.9) < strategy.Score(Idle with { RequestsThisMinute = 2 }, 0.1));
        Assert.True(strategy.Score(Idle with { InFlight = 1 }, 0.9) < strategy.Score(Idle with { InFlight = 2 }, 0.1));
    }

    [Fact]
    public void LatencyBased_PrefersTheFaster_AndTriesTheUnknown()
    {
        var strategy = new LatencyBasedStrategy(0);

        Assert.True(strategy.Score(Idle with { LatencyMicroseconds = 100 }, 0.9) < strategy.Score(Idle with { LatencyMicroseconds = 200 }, 0.1));
        Assert.True(strategy.Score(Idle, 0.9) < strategy.Score(Idle with { LatencyMicroseconds = 100 }, 0.1));
    }

    [Fact]
    public void CostBased_PrefersTheCheaper()
    {
        var strategy = new CostBasedStrategy();

        Assert.True(strategy.Score(Idle with { CostPerMillionTokens = 1 }, 0.9) < strategy.Score(Idle with { CostPerMillionTokens = 2 }, 0.1));
    }

    [Fact]
    public void LeastBusy_PrefersTheIdler()
    {
        var strategy = new LeastBusyStrategy();

        Assert.True(strategy.Score(Idle with { InFlight = 1 }, 0.9) < strategy.Score(Idle with { InFlight = 2 }, 0.1));
    }
}
