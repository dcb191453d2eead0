using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class RateWindowTests
{
    private static readonly RateWindow s_rule = new(60_000, 250);

    [Theory]
    [InlineData(1_000)]
    [InlineData(1_001)]
    [InlineData(1_249)]
    public void A_use_counts_for_a_whole_window_and_at_most_a_bucket_longer(long at)
    {
        var end = s_rule.EndOf(s_rule.BucketOf(at));

        Assert.InRange(end - at, 60_000, 60_249);
        Assert.True(s_rule.ExpiredAt(end - 1) < s_rule.BucketOf(at));
        Assert.True(s_rule.ExpiredAt(end) >= s_rule.BucketOf(at));
    }

    [Fact]
    public void The_wait_ends_when_enough_of_the_oldest_has_stopped_counting()
    {
        RateUse[] uses = [new(4, 3), new(8, 2), new(12, 5)];

        Assert.Equal(0, s_rule.Wait(uses, 2, 2, 5_000));
        Assert.Equal(61_000 - 5_000, s_rule.Wait(uses, 0, 3, 5_000));
        Assert.Equal(62_000 - 5_000, s_rule.Wait(uses, 0, 4, 5_000));
        Assert.Equal(63_000 - 5_000, s_rule.Wait(uses, -2, 4, 5_000));
    }

    [Fact]
    public void Near_the_limit_nothing_is_granted_ahead()
    {
        Assert.Equal((1, false), RateWindow.Grant(available: 8, least: 1, need: 1, extra: 50));
        Assert.Equal((2, true), RateWindow.Grant(available: 9, least: 1, need: 1, extra: 50));
        Assert.Equal((51, true), RateWindow.Grant(available: 1_000, least: 1, need: 1, extra: 50));
    }

    [Fact]
    public void Less_than_the_first_who_waits_needs_is_not_granted()
    {
        Assert.Equal((0, false), RateWindow.Grant(available: 59, least: 60, need: 120, extra: 0));
        Assert.Equal((100, false), RateWindow.Grant(available: 100, least: 60, need: 120, extra: 0));
    }
}
