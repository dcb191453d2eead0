using Gateway.Auth.Access;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Access;

public sealed class ChangeLogTests
{
    [Fact]
    public void A_reader_gets_what_came_after_its_last_change_and_no_more_than_it_asks_for()
    {
        var log = LogOf(101, 110);
        Assert.Equal([104, 105, 106], log.ReadAfter(103, 3).Changes.Select(change => change.Sequence));
        Assert.Empty(log.ReadAfter(110, 3).Changes);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(111)]
    public void A_reader_that_is_too_old_or_of_another_database_must_forget_everything(long after)
    {
        var read = LogOf(101, 110).ReadAfter(after, 10);
        Assert.Equal([new AccessChange(110, AccessChangeKind.Everything, null)], read.Changes);
        Assert.True(read.WasTooOld);
    }

    [Fact]
    public void The_log_is_bounded()
    {
        var log = LogOf(101, 100 + ChangeLog.Capacity + 5);
        Assert.True(log.ReadAfter(104, 1).WasTooOld);
        Assert.Equal(106, log.ReadAfter(105, 1).Changes[0].Sequence);
    }

    [Fact]
    public async Task Waiting_ends_with_the_next_change_and_not_before()
    {
        var log = LogOf(101, 101);
        Assert.True(log.WaitAsync(100).IsCompleted);
        var waiting = log.WaitAsync(101);
        Assert.False(waiting.IsCompleted);
        log.Append([new AccessChange(102, AccessChangeKind.Key, "k")]);
        await waiting.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_gap_is_a_mistake_of_the_program() =>
        Assert.Throws<InvalidOperationException>(() => LogOf(101, 110).Append([new AccessChange(112, AccessChangeKind.Key, "k")]));

    private static ChangeLog LogOf(long first, long last)
    {
        var log = new ChangeLog();
        log.Reset(first - 1);
        log.Append([.. Enumerable.Range(0, (int)(last - first + 1)).Select(index => new AccessChange(first + index, AccessChangeKind.Key, $"k{index}"))]);
        return log;
    }
}
