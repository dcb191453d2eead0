using FsCheck;
using FsCheck.Fluent;
using Gateway.Ledger.Leases;
using Gateway.TestKit;
using StackExchange.Redis;

namespace Gateway.Ledger.Tests.Leases;

/// <summary>The scripts do what the rule says, and the rule does what was promised.</summary>
public sealed class LeaseScriptTests : IAsyncLifetime
{
    private static int s_windows;
    private ConnectionMultiplexer connection = null!;

    private IDatabase Redis => connection.GetDatabase();

    public async Task InitializeAsync() => connection = await ConnectionMultiplexer.ConnectAsync((await Servers.Shared.RedisAsync()).ConnectionString);

    public async Task DisposeAsync() => await connection.DisposeAsync();

    [Theory]
    [InlineData(5_000)]
    [InlineData(200_000)]
    [InlineData(9_223_372_036_854_775_807)]
    public void Any_sequence_of_grants_crashes_repeats_and_losses_runs_the_same_in_Redis_and_in_the_rule_and_never_over(long limit)
    {
        var sequences = Gen.Choose(0, int.MaxValue - 1).ArrayOf().Resize(120).ToArbitrary();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(150),
            Prop.ForAll(sequences, codes =>
            {
                var model = new LeaseModel(Redis, NewWindow(), limit);
                foreach (var code in codes)
                {
                    model.Step(code);
                }

                model.ComeToRest();
            }));
    }

    [Fact]
    public void T1_T3_T18_fifty_calls_over_three_edges_for_the_price_of_fifty_are_all_granted_whatever_they_declared_and_the_fifty_first_is_not()
    {
        var window = NewWindow();
        Install(window, limit: 50_000);
        var granted = Enumerable.Range(0, 500)
            .Select(call => Acquire(window, $"edge-{call % 3}", want: 800_000, least: 1_000)).Count(reply => reply[0] == "granted");
        Assert.Equal(50, granted);
        Assert.Equal("50000", Redis.HashGet(LeaseScript.KeyOf(window), "leased"));
    }

    [Fact]
    public void Far_from_the_limit_an_edge_gets_what_it_wants_in_one_grant()
    {
        var window = NewWindow();
        Install(window, limit: 1_000_000_000_000);
        Assert.Equal(["granted", "5000000000"], Acquire(window, "edge-1", want: 5_000_000_000, least: 1_000)[..2]);
    }

    [Fact]
    public void Amounts_far_above_what_a_double_holds_exactly_are_exact_to_the_nano_dollar()
    {
        var window = NewWindow();
        Install(window, limit: long.MaxValue, spent: long.MaxValue - 1_001);
        Assert.Equal("short", Acquire(window, "edge-1", want: 1_002, least: 1_002)[0]);
        Assert.Equal("granted", Acquire(window, "edge-1", want: 1_000, least: 1_000)[0]);
        Assert.Equal("short", Acquire(window, "edge-2", want: 2, least: 2)[0]);
        Assert.Equal("granted", Acquire(window, "edge-2", want: 1, least: 1)[0]);
        Assert.Equal("short", Acquire(window, "edge-2", want: 0, least: 0, granted: 1)[0]);
    }

    [Fact]
    public async Task T5_a_Redis_that_came_back_is_unknown_even_with_its_data_and_grants_nothing_until_the_journal_has_been_asked()
    {
        await using var server = await Servers.NewRedisAsync();
        const string Window = "user/restart";
        await using (var before = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString))
        {
            before.GetDatabase().ScriptEvaluate(LeaseScript.Read("install"), [LeaseScript.KeyOf(Window)], [1_000, 1, 0, 0, 0, 0, 0, 0]);
        }

        await server.RestartAsync();
        await using var after = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        Assert.True(after.GetDatabase().KeyExists(LeaseScript.KeyOf(Window)), "the append-only file kept it");
        var reply = (string[])after.GetDatabase().ScriptEvaluate(LeaseScript.Acquire, [LeaseScript.KeyOf(Window)], ["edge-1", 10, 10, 0, 0])!;
        Assert.Equal("unknown", reply[0]);
    }

    [Fact]
    public void A_rebuilt_window_grants_nothing_until_the_edges_had_their_time_and_says_how_long()
    {
        var window = NewWindow();
        Install(window, limit: 1_000, opensInMs: 60_000);
        var reply = Acquire(window, "edge-1", want: 10, least: 10);
        Assert.Equal("rebuilding", reply[0]);
        Assert.InRange(long.Parse(reply[4], System.Globalization.CultureInfo.InvariantCulture), 50_000, 60_000);
    }

    [Fact]
    public void T8_the_next_window_of_a_period_is_another_counter_and_the_old_one_stays_what_it_was()
    {
        var (old, next) = (NewWindow() + "@1d@1764547200", NewWindow() + "@1d@1764633600");
        Install(old, limit: 100, spent: 100);
        Install(next, limit: 100);
        Assert.Equal("short", Acquire(old, "edge-1", want: 1, least: 1)[0]);
        Assert.Equal("granted", Acquire(next, "edge-1", want: 1, least: 1)[0]);
    }

    [Fact]
    public void A_raise_for_a_time_ends_at_its_instant_by_itself_in_Redis_and_in_the_rule()
    {
        var window = NewWindow();
        var until = DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeMilliseconds();
        Redis.ScriptEvaluate(LeaseScript.Read("install"), [LeaseScript.KeyOf(window)], [1_500, 1, 0, 1, 0, 0, until, 1_000]);
        Assert.Equal(["granted", "1200"], Acquire(window, "edge-1", want: 1_200, least: 1_200)[..2]);

        string[] after;
        do
        {
            after = (string[])Redis.ScriptEvaluate(LeaseScript.Heartbeat, [LeaseScript.KeyOf(window)], ["edge-1", 0, 1_200, 0])!;
        }
        while (after[6] == "1500");

        // What was granted under the raise stays the edge's; what is available is counted from the lower limit.
        Assert.True(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() >= until);
        Assert.Equal(["ok", "-200", "1000"], [after[0], after[2], after[6]]);
        Assert.Equal("short", Acquire(window, "edge-1", want: 1, least: 1, granted: 1_200)[0]);

        var rule = LeaseRule.Install(null, 1_500, 1, 0, 1, 0, [], now: 0, limitUntil: 100, limitAfter: 1_000);
        Assert.Equal(LeaseStatus.Granted, LeaseRule.Acquire(rule, "edge-1", 1_200, 1_200, 0, 0, now: 99).Reply.Status);
        Assert.Equal((LeaseStatus.Short, 1_000), (LeaseRule.Acquire(rule, "edge-1", 1_200, 1_200, 0, 0, now: 100).Reply.Status, LeaseRule.Acquire(rule, "edge-1", 1_200, 1_200, 0, 0, now: 100).Reply.Limit));
        // A newer definition without one takes it away before its time.
        Assert.Equal((1_000, 0), LeaseRule.Install(rule, 1_000, 2, 0, 1, 0, [], now: 50) is var lower ? (lower.Limit, lower.LimitUntil) : default);
    }

    private static string NewWindow() => $"test/{Interlocked.Increment(ref s_windows)}";

    private void Install(string window, long limit, long spent = 0, long opensInMs = 0) =>
        Redis.ScriptEvaluate(LeaseScript.Read("install"), [LeaseScript.KeyOf(window)], [limit, 1, spent, 1, opensInMs, 0, 0, 0]);

    private string[] Acquire(string window, string edge, long want, long least, long granted = 0) =>
        (string[])Redis.ScriptEvaluate(LeaseScript.Acquire, [LeaseScript.KeyOf(window)], [edge, want, least, 0, granted])!;
}
