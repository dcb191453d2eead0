using Gateway.Contracts;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class TokenLimitTests
{
    [Fact]
    public async Task T82_Twenty_calls_of_sixty_tokens_never_pass_a_limit_of_ten()
    {
        await using var edges = await Edges.StartAsync(1);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.TokensPerMinute, 10));

        var decisions = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => gate.EnterAsync(60).AsTask()));

        Assert.All(decisions, decision => Assert.True(decision is { Allowed: false, Never: true, Unavailable: false }));
    }

    [Fact]
    public async Task T82_Concurrent_calls_on_three_edges_reserve_no_more_tokens_than_the_limit()
    {
        await using var edges = await Edges.StartAsync(3);
        var definition = RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000);

        var decisions = await Task.WhenAll(Enumerable.Range(0, 90).Select(i => Task.Run(() => edges[i % 3].Get(definition).EnterAsync(60).AsTask())));

        Assert.Equal(16, decisions.Count(decision => decision.Allowed));
        Assert.All(decisions.Where(decision => !decision.Allowed), decision => Assert.True(decision.RetryAfter > TimeSpan.FromSeconds(50)));
    }

    [Fact]
    public async Task T46_What_was_reserved_and_not_used_is_free_for_the_next()
    {
        await using var edges = await Edges.StartAsync(2);
        var definition = RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000);
        var gate = edges[0].Get(definition);
        var decision = await gate.EnterAsync(900);
        Assert.False((await edges[1].Get(definition).EnterAsync(500)).Allowed);

        gate.Leave(900, used: 400, count: true, decision.Entry);

        Assert.True((await gate.EnterAsync(600)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task T46_What_was_used_beyond_the_reservation_is_a_debt_that_counts()
    {
        await using var edges = await Edges.StartAsync(2, RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000);
        var gate = edges[0].Get(definition);
        var decision = await gate.EnterAsync(100);
        var start = TimeProvider.System.GetTimestamp();
        gate.Leave(100, used: 1_500, count: true, decision.Entry);

        // The other edge hears of it at once, and both refuse until it has slid out of the window.
        await RateEdge.UntilAsync(async () =>
        {
            var asked = await edges[1].Get(definition).EnterAsync(1);
            edges[1].Get(definition).Leave(1, 0, count: false, asked.Entry);
            return !asked.Allowed;
        });
        var refused = await gate.EnterAsync(800);
        Assert.False(refused.Allowed);
        Assert.InRange(refused.RetryAfter.TotalMilliseconds, 1_500, 2_100);
        await RateEdge.UntilAsync(async () => (await gate.EnterAsync(800)).Allowed);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 1_950, 2_900);
    }

    [Fact]
    public async Task A_small_call_is_let_in_where_a_large_one_is_not()
    {
        await using var edges = await Edges.StartAsync(1);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000));
        Assert.True((await gate.EnterAsync(700)).Allowed);

        Assert.False((await gate.EnterAsync(500)).Allowed);

        Assert.True((await gate.EnterAsync(200)).Allowed);
        Assert.Equal(100, gate.View().Remaining);
    }

    [Fact]
    public async Task Without_its_entry_what_goes_back_is_taken_off_the_oldest_use()
    {
        await using var edges = await Edges.StartAsync(1);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000));
        await gate.EnterAsync(600);
        await gate.EnterAsync(400);

        gate.Leave(400, used: 100, count: true);

        Assert.True((await gate.EnterAsync(300)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }
}
