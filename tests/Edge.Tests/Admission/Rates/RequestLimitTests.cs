using System.Collections.Concurrent;
using Gateway.Contracts;
using Gateway.Edge.Admission.Rates;
using Gateway.TestKit;
using StackExchange.Redis;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class RequestLimitTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(1_000)]
    public async Task T45_Three_edges_at_once_let_in_exactly_the_limit(int limit)
    {
        await using var edges = await Edges.StartAsync(3);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, limit);
        var allowed = 0;
        var refused = new int[3];

        async Task CallAsync(int edge)
        {
            var gate = edges[edge].Get(definition);
            // Until everybody was refused often: what one edge holds another cannot have.
            while (refused.Min() < 2_000 && allowed <= limit)
            {
                if ((await gate.EnterAsync(1)).Allowed)
                {
                    Interlocked.Increment(ref allowed);
                    Array.Clear(refused);
                }
                else
                {
                    Interlocked.Increment(ref refused[edge]);
                    await Task.Yield();
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => CallAsync(i % 3))));
        await RateEdge.UntilAsync(async () =>
        {
            // What came back after the last of them.
            allowed += (await edges[0].Get(definition).EnterAsync(1)).Allowed ? 1 : 0;
            return allowed >= limit;
        });

        // The wait is over when it is at least the limit; here it must be no more.
        Assert.Equal(limit, allowed);
        Assert.False((await edges[1].Get(definition).EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task In_no_window_are_there_more_than_the_limit_and_the_window_slides()
    {
        const int limit = 60;
        await using var edges = await Edges.StartAsync(3, RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, limit);
        var entries = new ConcurrentBag<(double Before, double After)>();
        var start = TimeProvider.System.GetTimestamp();
        double Now() => TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;

        async Task CallAsync(int edge)
        {
            var random = new Random(edge);
            while (Now() < 7_000)
            {
                var before = Now();
                if ((await edges[edge % 3].Get(definition).EnterAsync(1)).Allowed)
                {
                    entries.Add((before, Now()));
                }

                await Task.Delay(random.Next(1, edge < 3 ? 8 : 60));
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 9).Select(i => Task.Run(() => CallAsync(i))));

        var ordered = entries.OrderBy(entry => entry.After).ToArray();
        for (var i = 0; i + limit < ordered.Length; i++)
        {
            var first = ordered[i..(i + limit + 1)].Min(entry => entry.Before);
            Assert.True(ordered[i + limit].After - first >= 2_000, $"{limit + 1} requests between {first} and {ordered[i + limit].After} ms");
        }

        // Three windows and a half: not refused without need either.
        Assert.InRange(entries.Count, 3 * limit, 4 * limit);
    }

    [Fact]
    public async Task T44_A_refused_request_uses_nothing_up()
    {
        await using var edges = await Edges.StartAsync(1, RateEdge.Short);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.RequestsPerMinute, 5));
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed);
        }

        // Hammered all the while, the limit is free again after one window.
        var start = TimeProvider.System.GetTimestamp();
        var refused = 0;
        await RateEdge.UntilAsync(async () =>
        {
            var allowed = (await gate.EnterAsync(1)).Allowed;
            refused += allowed ? 0 : 1;
            return allowed;
        });

        Assert.True(refused > 20);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 1_000, 2_600);
    }

    [Fact]
    public async Task T44_What_another_rule_refused_afterwards_counts_for_nothing()
    {
        await using var edges = await Edges.StartAsync(2);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 3);
        var gate = edges[0].Get(definition);
        for (var i = 0; i < 20; i++)
        {
            var decision = await gate.EnterAsync(1);
            Assert.True(decision.Allowed);
            gate.Leave(1, 0, count: false, decision.Entry);
        }

        var last = default(RateDecision);
        for (var i = 0; i < 3; i++)
        {
            last = await gate.EnterAsync(1);
            Assert.True(last.Allowed);
        }

        Assert.False((await gate.EnterAsync(1)).Allowed);
        gate.Leave(1, 0, count: false, last.Entry);
        Assert.True((await gate.EnterAsync(1)).Allowed);
        Assert.False((await edges[1].Get(definition).EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task T47_Retry_after_is_the_true_wait()
    {
        await using var edges = await Edges.StartAsync(2, RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 4);
        for (var i = 0; i < 4; i++)
        {
            Assert.True((await edges[0].Get(definition).EnterAsync(1)).Allowed);
        }

        var other = edges[1].Get(definition);
        var first = await other.EnterAsync(1);
        var start = TimeProvider.System.GetTimestamp();
        Assert.False(first.Allowed);
        Assert.InRange(first.RetryAfter.TotalMilliseconds, 1_000, 2_200);

        // Refused as long as it says so, and what it says becomes less.
        var before = first.RetryAfter;
        while (TimeProvider.System.GetElapsedTime(start) < first.RetryAfter - TimeSpan.FromMilliseconds(150))
        {
            var decision = await other.EnterAsync(1);
            var waited = TimeProvider.System.GetElapsedTime(start);
            if (waited < first.RetryAfter - TimeSpan.FromMilliseconds(100))
            {
                Assert.False(decision.Allowed, $"let in after {waited} of {first.RetryAfter}");
                Assert.True(decision.RetryAfter <= before + TimeSpan.FromMilliseconds(5));
                before = decision.RetryAfter;
            }

            await Task.Delay(20);
        }

        var left = first.RetryAfter - TimeProvider.System.GetElapsedTime(start);
        await Task.Delay(left > TimeSpan.Zero ? left + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero);
        Assert.True((await other.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task A_changed_limit_holds_from_the_next_request_on()
    {
        await using var edges = await Edges.StartAsync(1);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 2);
        var gate = edges[0].Get(definition);
        Assert.True((await gate.EnterAsync(1)).Allowed);
        Assert.True((await gate.EnterAsync(1)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);

        Assert.Same(gate, edges[0].Get(definition with { Limit = 3 }));
        Assert.True((await gate.EnterAsync(1)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);

        edges[0].Get(definition with { Limit = 1_000 });
        for (var i = 0; i < 200; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed);
        }

        edges[0].Get(definition with { Limit = 100 });
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task A_limit_of_nothing_lets_nothing_in_and_says_that_no_wait_helps()
    {
        await using var edges = await Edges.StartAsync(1);

        var decision = await edges[0].Get(RateEdge.NewLimit(LimitKind.RequestsPerMinute, 0)).EnterAsync(1);

        Assert.False(decision.Allowed);
        Assert.True(decision.Never);
        Assert.False(decision.Unavailable);
    }

    [Fact]
    public async Task The_warm_path_needs_no_round_trip_and_allocates_nothing()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edge = await RateEdge.StartAsync(redis.ConnectionString);
        await using var reader = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",allowAdmin=true");
        var gate = edge.Gates.Get(RateEdge.NewLimit(LimitKind.RequestsPerMinute, 1_000_000));
        for (var i = 0; i < 3_000; i++)
        {
            await gate.EnterAsync(1);
        }

        var before = await CommandsAsync(reader);
        var allocated = long.MaxValue;
        for (var round = 0; round < 50; round++)
        {
            // A round in which the gate is refilled allocates; most are not such.
            var start = GC.GetAllocatedBytesForCurrentThread();
            var atOnce = 0;
            for (var i = 0; i < 100; i++)
            {
                atOnce += AtOnce(gate.EnterAsync(1)) ? 1 : 0;
                gate.Leave(1, 0, count: true);
            }

            allocated = atOnce == 100 ? Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - start) : allocated;
            await Task.Yield();
        }

        Assert.Equal(0, allocated);
        Assert.InRange(await CommandsAsync(reader) - before, 0, 100);
    }

    [Fact]
    public async Task An_edge_that_stops_gives_back_what_it_took_ahead()
    {
        await using var edges = await Edges.StartAsync(1);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 400);
        var busy = await RateEdge.StartAsync();
        for (var i = 0; i < 100; i++)
        {
            await busy.Gates.Get(definition).EnterAsync(1);
        }

        await busy.DisposeAsync();

        for (var i = 0; i < 300; i++)
        {
            Assert.True((await edges[0].Get(definition).EnterAsync(1)).Allowed, $"{i} of 300");
        }

        Assert.False((await edges[0].Get(definition).EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task A_limit_that_nobody_used_for_long_is_forgotten_and_still_counts_in_old_hands()
    {
        await using var edges = await Edges.StartAsync(1, RateEdge.Short);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 4);
        var old = edges[0].Get(definition);
        Assert.True((await old.EnterAsync(1)).Allowed);
        // The clock of forgetting is seen from outside only by a new gate.
        await RateEdge.UntilAsync(() =>
        {
            edges[0].Tick();
            return Task.FromResult(edges[0].Count == 0);
        }, seconds: 60);
        var fresh = edges[0].Get(definition);
        Assert.NotSame(old, fresh);

        for (var i = 0; i < 2; i++)
        {
            Assert.True((await old.EnterAsync(1)).Allowed);
            Assert.True((await fresh.EnterAsync(1)).Allowed);
        }

        Assert.False((await old.EnterAsync(1)).Allowed);
        Assert.False((await fresh.EnterAsync(1)).Allowed);
    }

    private static bool AtOnce(ValueTask<RateDecision> entry) => entry.IsCompletedSuccessfully;

    private static async Task<long> CommandsAsync(ConnectionMultiplexer redis)
    {
        var stats = await redis.GetServers()[0].InfoAsync("stats");
        return long.Parse(stats[0].First(pair => pair.Key == "total_commands_processed").Value, System.Globalization.CultureInfo.InvariantCulture);
    }
}
