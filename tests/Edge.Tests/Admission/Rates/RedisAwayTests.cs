using Gateway.Contracts;
using Gateway.Edge.Admission.Rates;
using Gateway.TestKit;
using StackExchange.Redis;

namespace Gateway.Edge.Tests.Admission.Rates;

public sealed class RedisAwayTests
{
    [Theory]
    [InlineData(LimitKind.RequestsPerMinute)]
    [InlineData(LimitKind.ParallelRequests)]
    public async Task T49_A_Redis_that_hangs_is_waited_for_a_second_and_works_when_it_is_back(LimitKind kind)
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edges = await Edges.StartAsync(1, connection: redis.ConnectionString);
        var gate = edges[0].Get(RateEdge.NewLimit(kind, 1_000));
        Assert.True((await gate.EnterAsync(1)).Allowed);

        redis.Pause();
        var start = TimeProvider.System.GetTimestamp();
        var decision = await RefusedAsync(gate);
        Assert.True(decision.Unavailable);
        Assert.InRange(decision.RetryAfter.TotalMilliseconds, 1, 1_500);
        Assert.True(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < 2_000);

        // Those who come next are not made to wait for what is known.
        start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 100; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Unavailable);
        }

        Assert.True(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < 500);
        redis.Resume();
        await RateEdge.UntilAsync(async () => (await gate.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task T49_What_Redis_runs_late_takes_nothing_from_the_limit()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edges = await Edges.StartAsync(1, connection: redis.ConnectionString);
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.RequestsPerMinute, 3));
        Assert.True((await gate.EnterAsync(1)).Allowed);

        redis.Pause();
        for (var i = 0; i < 2; i++)
        {
            await RateEdge.UntilAsync(async () =>
            {
                var start = TimeProvider.System.GetTimestamp();
                Assert.True((await gate.EnterAsync(1)).Unavailable);
                return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds > 500;
            });
        }

        redis.Resume();
        // What it ran just in time, and nobody heard of, goes back as soon as it answers.
        await RateEdge.UntilAsync(async () => (await gate.EnterAsync(1)).Allowed);
        await RateEdge.UntilAsync(async () => (await gate.EnterAsync(1)).Allowed);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    [Fact]
    public async Task T49_A_Redis_that_lost_everything_does_not_double_the_limit()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edges = await Edges.StartAsync(2, connection: redis.ConnectionString);
        var definition = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 100);
        await UseAsync(edges[0].Get(definition), 60);
        await UseAsync(edges[1].Get(definition), 30);

        await redis.KillAsync();
        Directory.Delete(redis.Folder, recursive: true);
        await redis.StartAsync();

        // Closed until both have told what they used; then ten are left, whoever asks.
        var allowed = 0;
        var asked = 0;
        await RateEdge.UntilAsync(async () =>
        {
            var decision = await edges[asked++ % 2].Get(definition).EnterAsync(1);
            allowed += decision.Allowed ? 1 : 0;
            return decision is { Allowed: false, Unavailable: false };
        }, seconds: 40);
        Assert.InRange(allowed, 5, 10);
    }

    [Theory]
    [InlineData(LimitKind.RequestsPerMinute)]
    [InlineData(LimitKind.ParallelRequests)]
    public async Task T49_What_a_restarted_Redis_does_not_know_stays_closed_until_all_edges_had_time_to_tell(LimitKind kind)
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edges = await Edges.StartAsync(1, connection: redis.ConnectionString);
        var start = TimeProvider.System.GetTimestamp();
        await UseAsync(edges[0].Get(RateEdge.NewLimit(kind, 10)), 1);
        // An edge as young as this Redis has lost nothing with it; the first call may wait some seconds for the connection.
        await RateEdge.UntilAsync(() => Task.FromResult(TimeProvider.System.GetElapsedTime(start).TotalSeconds > 7));

        await redis.KillAsync();
        Directory.Delete(redis.Folder, recursive: true);
        var restarted = TimeProvider.System.GetTimestamp();
        await redis.StartAsync();

        // What another edge used of it this one cannot know.
        var gate = edges[0].Get(RateEdge.NewLimit(kind, 10));
        await RateEdge.UntilAsync(async () =>
        {
            var decision = await gate.EnterAsync(1);
            Assert.True(decision.Allowed || decision.Unavailable);
            return decision.Allowed;
        });
        Assert.InRange(TimeProvider.System.GetElapsedTime(restarted).TotalSeconds, 4, 15);
    }

    [Fact]
    public async Task T49_Flushed_while_the_edge_goes_on_its_uses_still_count()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var edges = await Edges.StartAsync(1, connection: redis.ConnectionString);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",allowAdmin=true");
        var gate = edges[0].Get(RateEdge.NewLimit(LimitKind.RequestsPerMinute, 10));
        await UseAsync(gate, 7);

        await admin.GetServers()[0].FlushAllDatabasesAsync();

        await UseAsync(gate, 3);
        Assert.False((await gate.EnterAsync(1)).Allowed);
    }

    [Theory]
    [InlineData("-eval -evalsha -script")]
    [InlineData("-@scripting")]
    public async Task T48_Where_scripts_are_forbidden_the_limits_hold(string rules)
    {
        await using var redis = await Servers.NewRedisAsync();
        await using (var admin = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",allowAdmin=true"))
        {
            await admin.GetDatabase().ExecuteAsync("ACL", ["SETUSER", "plain", "on", ">secret", "~*", "&*", "+@all", .. rules.Split(' ')]);
        }

        var connection = $"localhost:{redis.Port},user=plain,password=secret";
        var logger = new RateEdge.RecordingLogger();
        await using var one = await RateEdge.StartAsync(connection, logger: logger);
        await using var other = await RateEdge.StartAsync(connection);
        RateEdge[] edges = [one, other];

        var requests = RateEdge.NewLimit(LimitKind.RequestsPerMinute, 40);
        var allowed = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            for (var n = 0; n < 60; n++)
            {
                var decision = await edges[i % 2].Gates.Get(requests).EnterAsync(1);
                Assert.False(decision.Unavailable);
                if (decision.Allowed)
                {
                    Interlocked.Increment(ref allowed);
                }
            }
        })));
        Assert.InRange(allowed, 20, 40);
        await RateEdge.UntilAsync(async () => (allowed += (await one.Gates.Get(requests).EnterAsync(1)).Allowed ? 1 : 0) == 40);
        Assert.False((await other.Gates.Get(requests).EnterAsync(1)).Allowed);

        var tokens = RateEdge.NewLimit(LimitKind.TokensPerMinute, 1_000);
        var held = await one.Gates.Get(tokens).EnterAsync(900);
        one.Gates.Get(tokens).Leave(900, 100, count: true, held.Entry);
        Assert.True((await one.Gates.Get(tokens).EnterAsync(900)).Allowed);
        Assert.False((await other.Gates.Get(tokens).EnterAsync(1)).Allowed);

        var slots = RateEdge.NewLimit(LimitKind.ParallelRequests, 3);
        Assert.True((await one.Gates.Get(slots).EnterAsync(1)).Allowed);
        Assert.True((await one.Gates.Get(slots).EnterAsync(1)).Allowed);
        Assert.True((await other.Gates.Get(slots).EnterAsync(1)).Allowed);
        Assert.False((await one.Gates.Get(slots).EnterAsync(1)).Allowed);
        Assert.False((await other.Gates.Get(slots).EnterAsync(1)).Allowed);
        one.Gates.Get(slots).Leave(1, 0, count: true);
        await RateEdge.UntilAsync(async () => (await other.Gates.Get(slots).EnterAsync(1)).Allowed);

        Assert.Equal(1, logger.Count(1401));
        Assert.Equal(0, logger.Count(1402));
    }

    private static async Task UseAsync(RateGate gate, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.True((await gate.EnterAsync(1)).Allowed, $"{i} of {count}");
        }
    }

    // Permits taken ahead may be used while Redis is away.
    private static async Task<RateDecision> RefusedAsync(RateGate gate)
    {
        while (true)
        {
            var decision = await gate.EnterAsync(1);
            if (!decision.Allowed)
            {
                return decision;
            }
        }
    }
}
