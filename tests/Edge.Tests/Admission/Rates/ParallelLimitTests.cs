using Gateway.Contracts;
using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class ParallelLimitTests
{
    [Fact]
    public async Task T45_Three_edges_at_once_have_exactly_the_limit_under_way()
    {
        await using var edges = await Edges.StartAsync(3);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, 10);

        var decisions = await Task.WhenAll(Enumerable.Range(0, 90).Select(i => Task.Run(() => edges[i % 3].Get(definition).EnterAsync(1).AsTask())));

        Assert.Equal(10, decisions.Count(decision => decision.Allowed));
        Assert.All(decisions.Where(decision => !decision.Allowed), decision => Assert.False(decision.Unavailable));
    }

    [Fact]
    public async Task T45_Under_load_there_are_never_more_under_way_than_the_limit()
    {
        const int limit = 7;
        await using var edges = await Edges.StartAsync(3);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, limit);
        int underWay = 0, most = 0, served = 0;

        async Task CallAsync(int edge)
        {
            for (var i = 0; i < 150; i++)
            {
                var gate = edges[edge % 3].Get(definition);
                if ((await gate.EnterAsync(1)).Allowed)
                {
                    var now = Interlocked.Increment(ref underWay);
                    InterlockedMax(ref most, now);
                    Interlocked.Increment(ref served);
                    await Task.Delay(Random.Shared.Next(0, 4));
                    Interlocked.Decrement(ref underWay);
                    gate.Leave(1, 0, count: true);
                }
                else
                {
                    await Task.Delay(5);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => CallAsync(i))));

        Assert.InRange(most, limit - 2, limit);
        Assert.True(served > 500, $"{served} served");
        // All free again: ten times the limit came and went (T-43).
        Assert.Equal(limit, await FreeAsync(edges[0], definition, limit));
    }

    [Fact]
    public async Task T43_A_slot_is_free_again_after_a_request_that_failed()
    {
        await using var edges = await Edges.StartAsync(1);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.ParallelRequests, 1));
        for (var i = 0; i < 100; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed);
            gate.Leave(1, 0, count: i % 2 == 0);
        }

        Assert.True((await gate.EnterAsync(1)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task T43_The_slots_of_an_edge_that_died_are_free_after_the_time_to_live()
    {
        await using var edges = await Edges.StartAsync(1, RateEdge.Short);
        var dying = await RateEdge.StartAsync(options: RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, 3);
        for (var i = 0; i < 3; i++)
        {
            Assert.True((await dying.Gates.Get(definition).EnterAsync(1)).Allowed);
        }

        await dying.CrashAsync();
        var start = TimeProvider.System.GetTimestamp();
        Assert.False((await edges[0].Get(definition).EnterAsync(1)).Allowed);

        Assert.Equal(3, await FreeAsync(edges[0], definition, 3));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 500, 4_000);
    }

    [Fact]
    public async Task A_request_longer_than_the_time_to_live_keeps_its_slot()
    {
        await using var edges = await Edges.StartAsync(2, RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, 1);
        Assert.True((await edges[0].Get(definition).EnterAsync(1)).Allowed);

        var start = TimeProvider.System.GetTimestamp();
        await RateEdge.UntilAsync(async () =>
        {
            Assert.False((await edges[1].Get(definition).EnterAsync(1)).Allowed);
            return TimeProvider.System.GetElapsedTime(start).TotalSeconds > 5;
        });
    }

    [Fact]
    public async Task Idle_slots_go_to_the_other_edge_in_about_a_second()
    {
        await using var edges = await Edges.StartAsync(2);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, 5);
        var gate = edges[0].Get(definition);
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed);
        }

        for (var i = 0; i < 5; i++)
        {
            gate.Leave(1, 0, count: true);
        }

        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal(5, await FreeAsync(edges[1], definition, 5));
        Assert.True(TimeProvider.System.GetElapsedTime(start).TotalSeconds < 3);
    }

    [Fact]
    public async Task A_lower_limit_holds_as_soon_as_those_under_way_have_ended()
    {
        await using var edges = await Edges.StartAsync(1);
        var definition = RateEdge.NewLimit(LimitKind.ParallelRequests, 4);
        var gate = edges[0].Get(definition);
        for (var i = 0; i < 4; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed);
        }

        edges[0].Get(definition with { Limit = 2 });
        gate.Leave(1, 0, count: true);
        gate.Leave(1, 0, count: true);
        Assert.False((await gate.EnterAsync(1)).Allowed);
        gate.Leave(1, 0, count: true);
        await RateEdge.UntilAsync(async () => (await gate.EnterAsync(1)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    private static async Task<int> FreeAsync(RateGates gates, LimitDefinition definition, int limit)
    {
        var free = 0;
        await RateEdge.UntilAsync(async () =>
        {
            free += (await gates.Get(definition).EnterAsync(1)).Allowed ? 1 : 0;
            return free == limit;
        });
        return free + ((await gates.Get(definition).EnterAsync(1)).Allowed ? 1 : 0);
    }

    private static void InterlockedMax(ref int place, int value)
    {
        var known = Volatile.Read(ref place);
        while (value > known)
        {
            known = Interlocked.CompareExchange(ref place, value, known) is var seen && seen == known ? value : seen;
        }
    }
}
