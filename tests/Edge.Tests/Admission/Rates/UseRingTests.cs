using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class UseRingTests
{
    private readonly UseRing ring = new(new RateWindow(60_000, 250), 5_000);
    private readonly List<RateUse> differences = [];

    [Fact]
    public void Permits_taken_ahead_move_to_where_they_were_used()
    {
        ring.Advance(120);
        ring.Granted(120, 10);
        ring.Add(101, 4);
        ring.Add(103, 1);

        ring.Differences(0, roomBucket: 120, room: 5, differences);

        Assert.Equal([new RateUse(101, 4), new RateUse(103, 1), new RateUse(120, -5)], differences);
        ring.Confirm(differences);
        ring.Differences(0, roomBucket: 120, room: 5, differences);
        Assert.Empty(differences);
    }

    [Fact]
    public void After_an_answer_that_never_came_nothing_is_given_back_twice_and_what_was_used_is_told_again()
    {
        ring.Advance(120);
        ring.Granted(120, 10);
        ring.Add(101, 4);
        ring.Differences(0, 0, 0, differences);

        ring.Doubt(differences);
        ring.Differences(0, 0, 0, differences);

        Assert.Equal([new RateUse(101, 4)], differences);
    }

    [Fact]
    public void What_has_left_the_window_is_neither_told_nor_taken_back()
    {
        ring.Advance(100);
        ring.Add(100, 7);
        ring.Advance(100 + 400);

        Assert.False(ring.TakeBack(100, 7));
        ring.Differences(0, 0, 0, differences);
        Assert.Empty(differences);
        Assert.False(ring.ToldAny(0));
    }

    [Fact]
    public void No_more_goes_back_than_was_used()
    {
        ring.Advance(100);
        ring.Add(90, 3);
        ring.Add(95, 3);

        ring.TakeBack(90, 5);
        Assert.Equal(3, ring.Used(0, 100));
        ring.TakeBackOldest(0, 5);
        Assert.Equal(0, ring.Used(0, 100));
    }
}
