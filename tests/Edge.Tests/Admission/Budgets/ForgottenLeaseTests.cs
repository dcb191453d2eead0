using Gateway.Edge.Admission.Budgets;

namespace Gateway.Edge.Tests.Admission.Budgets;

/// <summary>An edge with more windows than it keeps leases on forgets the idle ones at once: nobody may spend what two leases of one window hold.</summary>
public sealed class ForgottenLeaseTests : IAsyncLifetime
{
    private static readonly BudgetOptions Crowded = new() { LeasesMax = 0, IdleAfter = TimeSpan.Zero };
    private LeaseEdge edge = null!;

    public async Task InitializeAsync() => edge = await LeaseEdge.StartAsync(Crowded);

    public Task DisposeAsync()
    {
        edge.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Whoever_still_has_it_in_hand_gets_nothing_from_it_and_finds_the_one_that_the_window_has_now()
    {
        var budget = LeaseEdge.NewBudget(1_000);
        var (slot, other) = (edge.Slot(budget), edge.Slot(budget));
        Assert.True(await LeaseEdge.SpendAsync(slot, 300));
        var old = slot.Current();
        await ForgetAsync(edge);

        Assert.False(old.TryReserve(1));
        Assert.Equal(LeaseRefusal.Forgotten, (await old.ReserveAsync(static () => new CostEstimate(1, 1, Learned: true))).Refusal);
        Assert.NotSame(old, other.Current());
        Assert.Same(other.Current(), slot.Current());

        Assert.True(await LeaseEdge.SpendAsync(other, 300));
        Assert.True(await LeaseEdge.SpendAsync(slot, 300));
        Assert.False(await LeaseEdge.SpendAsync(slot, 300));
        await ForgetAsync(edge);
        Assert.Equal((900, 900), await edge.InRedisAsync(budget));
    }

    [Fact]
    public async Task However_often_it_is_forgotten_in_the_middle_of_a_race_what_was_spent_is_what_was_granted_and_never_over()
    {
        const int cost = 10, rounds = 100;
        var budget = LeaseEdge.NewBudget(rounds * 8 * cost);
        var slots = Enumerable.Range(0, 8).Select(_ => edge.Slot(budget)).ToArray();
        using var over = new CancellationTokenSource();
        var forgetting = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                edge.Leases.Tick(Environment.TickCount64 + 1, slow: true);
            }
        });

        for (var round = 0; round < rounds; round++)
        {
            var lease = slots[0].Current();
            var answered = await Task.WhenAll(slots.Select(slot => Task.Run(() => LeaseEdge.SpendAsync(slot, cost))));
            Assert.DoesNotContain(false, answered);
            await Rates.RateEdge.UntilAsync(() => Task.FromResult(lease.Closed));
        }

        Assert.False(await LeaseEdge.SpendAsync(slots[0], 1));
        await over.CancelAsync();
        await forgetting;
        await ForgetAsync(edge);
        Assert.Equal((budget.Limit.NanoDollars, budget.Limit.NanoDollars), await edge.InRedisAsync(budget));
    }

    [Fact]
    public async Task Where_too_many_were_forgotten_to_remember_them_all_what_Redis_has_counts_as_charged()
    {
        using var crowded = await LeaseEdge.StartAsync(new BudgetOptions { LeasesMax = 0, RetiredMax = 1, IdleAfter = TimeSpan.Zero });
        var (first, second) = (LeaseEdge.NewBudget(1_000), LeaseEdge.NewBudget(1_000));
        foreach (var budget in new[] { first, second })
        {
            Assert.True(await LeaseEdge.SpendAsync(crowded.Slot(budget), 600));
            await ForgetAsync(crowded);
        }

        Assert.Equal(1, crowded.Leases.Retired);
        var slot = crowded.Slot(first);
        Assert.True(await LeaseEdge.SpendAsync(slot, 300));
        Assert.False(await LeaseEdge.SpendAsync(slot, 300));
        await ForgetAsync(crowded);
        Assert.Equal((900, 900), await crowded.InRedisAsync(first));
    }

    [Fact]
    public async Task What_windows_that_are_over_came_to_is_not_remembered()
    {
        var slot = edge.Slot(LeaseEdge.NewBudget(1_000) with { Period = "1s" });
        Assert.True(await LeaseEdge.SpendAsync(slot, 300));
        await ForgetAsync(edge);

        var now = Environment.TickCount64;
        await Rates.RateEdge.UntilAsync(() =>
        {
            edge.Leases.Tick(now += 3_600_000, slow: true);
            return Task.FromResult(edge.Leases.Retired == 0);
        });
    }

    [Fact]
    public async Task A_contact_that_fails_in_the_gateway_itself_leaves_nobody_waiting()
    {
        var lease = edge.Slot(LeaseEdge.NewBudget(1_000)).Current();
        var asked = 0;

        var hold = await lease.ReserveAsync(() => asked++ == 0 ? new CostEstimate(100, 100, Learned: true) : throw new InvalidOperationException("A defect.")).AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal((LeaseRefusal.Unavailable, 1_000), (hold.Refusal, hold.RetryAfterMilliseconds));
        Assert.NotEqual(LeaseRefusal.Unavailable, (await lease.ReserveAsync(static () => new CostEstimate(100, 100, Learned: true))).Refusal);
    }

    private static Task ForgetAsync(LeaseEdge edge) => Rates.RateEdge.UntilAsync(() =>
    {
        edge.Leases.Tick(Environment.TickCount64 + 1, slow: true);
        return Task.FromResult(edge.Leases.All.Count == 0);
    });
}
