using Gateway.Edge.Admission.Budgets;

namespace Gateway.Edge.Tests.Admission.Budgets;

public sealed class LeaseQueueTests
{
    private static readonly CostEstimate Learned = new(Want: 100, Least: 10, Learned: true);
    private static readonly CostEstimate Guessed = new(Want: 100, Least: 30, Learned: false);

    private readonly LeaseRoom room = new(charged: 0) { FreshUntil = long.MaxValue };
    private readonly LeaseQueue queue;

    public LeaseQueueTests() => queue = new LeaseQueue(room);

    [Fact]
    public void With_plenty_each_gets_its_worst_case_and_when_it_is_tight_what_is_expected()
    {
        room.Add(110);
        var (first, second, third) = (Join(Learned), Join(Learned), Join(Learned));

        queue.Serve(tight: false);
        Assert.Equal(new LeaseHold(100, Guarded: false), Served(first));
        Assert.False(second.IsCompleted);

        queue.Serve(tight: true);
        Assert.Equal(new LeaseHold(10, Guarded: true), Served(second));
        Assert.False(third.IsCompleted);
        Assert.Equal(110, room.Reserved);
    }

    [Fact]
    public void Near_the_limit_one_of_an_unknown_kind_runs_first_with_what_there_is_and_the_others_wait_for_what_it_teaches()
    {
        room.Add(20);
        var (first, second) = (Join(Guessed), Join(Guessed));
        queue.Serve(tight: true);
        Assert.False(first.IsCompleted);

        Assert.True(queue.TryProbe(available: 0));
        queue.Serve(tight: true);

        Assert.Equal(new LeaseHold(20, Guarded: true), Served(first));
        Assert.False(queue.TryProbe(available: 0), "one is finding out");
        Assert.Null(queue.RefuseHopeless(available: 0, mine: 20, others: 0, recalling: false));
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public void Crumbs_that_do_not_pay_for_reading_the_prompt_let_nobody_find_out()
    {
        var waits = Join(Guessed with { Prompt = 5 });

        Assert.False(queue.TryProbe(available: 4));
        Assert.Equal(30, queue.RefuseHopeless(available: 4, mine: 0, others: 0, recalling: false));
        Assert.Equal(LeaseRefusal.Exceeded, Served(waits).Refusal);

        Join(Guessed with { Prompt = 5 });
        Assert.True(queue.TryProbe(available: 5));
    }

    [Fact]
    public void Who_waited_for_what_another_one_finds_out_may_wait_for_others_to_settle_after_that()
    {
        var cost = Guessed;
        var waiter = new LeaseWaiter(() => cost, new BudgetOptions { Wait = TimeSpan.FromMilliseconds(50) }, extends: false);
        queue.Join(waiter);
        var settledBy = waiter.Deadline(waiter.Estimate() with { Learned = true });
        Assert.True(SpinWait.SpinUntil(() => Environment.TickCount64 > settledBy, TimeSpan.FromSeconds(30)));

        cost = Learned;

        Assert.Null(queue.RefuseHopeless(available: 0, mine: 25, others: 0, recalling: false));
        Assert.False(waiter.Task.IsCompleted);
    }

    [Fact]
    public void Of_an_unknown_kind_nobody_is_refused_while_another_edge_holds_something()
    {
        var waits = Join(Guessed);

        Assert.Null(queue.RefuseHopeless(available: 0, mine: 0, others: 1, recalling: false));
        Assert.False(waits.IsCompleted);

        Assert.Equal(30, queue.RefuseHopeless(available: 0, mine: 0, others: 0, recalling: false));
        Assert.Equal(LeaseRefusal.Exceeded, Served(waits).Refusal);
        Assert.False(queue.Any);
    }

    [Fact]
    public void Of_a_known_kind_who_waits_is_refused_when_all_under_way_is_expected_to_be_used_and_not_before()
    {
        room.Add(25);
        Assert.True(room.TryReserve(25, out _));
        var waits = Join(Learned);

        Assert.Null(queue.RefuseHopeless(available: 0, mine: 25, others: 0, recalling: false));
        Assert.False(waits.IsCompleted);

        Assert.Equal(10, queue.RefuseHopeless(available: 0, mine: 10, others: 0, recalling: false));
        Assert.Equal(LeaseRefusal.Exceeded, Served(waits).Refusal);
    }

    [Fact]
    public void What_is_needed_is_the_least_of_as_many_as_fit_into_what_is_available()
    {
        for (var i = 0; i < 5; i++)
        {
            Join(Learned);
        }

        Assert.Equal((Want: 500L, Least: 10L, Count: 5), queue.Needed(available: null, ahead: 0));
        Assert.Equal((Want: 500L, Least: 30L, Count: 5), queue.Needed(available: 39, ahead: 0));

        room.Add(4);
        Assert.Equal((Want: 546L, Least: 26L, Count: 5), queue.Needed(available: 39, ahead: 50));
    }

    [Fact]
    public void Room_that_nobody_confirmed_lately_serves_nobody()
    {
        room.Add(1_000);
        room.FreshUntil = 0;
        var waits = Join(Learned);

        queue.Serve(tight: true);

        Assert.False(waits.IsCompleted);
    }

    private static LeaseHold Served(Task<LeaseHold> waits)
    {
        Assert.True(waits.IsCompletedSuccessfully, "nobody served it");
        return waits.Result;
    }

    private Task<LeaseHold> Join(CostEstimate cost)
    {
        var waiter = new LeaseWaiter(() => cost, new BudgetOptions(), extends: false);
        queue.Join(waiter);
        return waiter.Task;
    }
}
