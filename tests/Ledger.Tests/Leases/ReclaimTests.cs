using System.Diagnostics;
using Gateway.Ledger.Duties;
using Gateway.Ledger.Edges;
using Gateway.Ledger.Leases;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Leases;

[Collection(LedgerTurns.Name)]
public sealed class ReclaimTests
{
    private static readonly (string, string)[] s_fast = [("Ledger:LeaseTimeToLive", "00:00:01"), ("Ledger:ReclaimEvery", "00:00:00.2"), ("Ledger:ClosedEdgeGrace", "00:00:00")];

    [Fact]
    public async Task An_orphaned_lease_comes_back_when_its_edge_is_gone_for_good_and_one_that_lives_stays()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [.. s_fast, ("Ledger:GoneEdgeAfter", "00:00:01")]);
        var budget = Build.NewId();
        await ledger.EnsureAsync("dead", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 600);
        var died = Stopwatch.GetTimestamp();
        await EnsureTests.AcquireAsync(ledger, budget, "alive", 300);
        await Eventually.HoldsAsync(
            async () =>
            {
                await ledger.Redis.ScriptEvaluateAsync(LeaseScript.Heartbeat, [LeaseScript.KeyOf(budget)], ["alive", 0, 300, 0]);
                return await EnsureTests.FieldAsync(ledger, budget, "leased") == 300;
            }, "the dead edge's 600 are back, the living one's 300 are not");
        Assert.True(Stopwatch.GetElapsedTime(died) >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_silent_edge_may_have_charged_all_that_it_held_so_none_of_it_is_granted_again_before_its_spool_was_read()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: s_fast);
        var budget = Build.NewId();
        await ledger.EnsureAsync("dead", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 600);
        // It charges 500 of it, says nothing any more, and its spool is read later, when others have long spent what they could get.
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from held_by_silent_edges") == 1, "noted: it is silent and holds something");
        Assert.Equal("granted", (await EnsureTests.AcquireAsync(ledger, budget, "alive", 400))[0]);
        Assert.Equal("short", (await EnsureTests.AcquireAsync(ledger, budget, "alive", 1, granted: 400))[0]);
        await ledger.PublishAsync([Build.Record(500, edge: "dead", windows: budget), Build.Record(400, edge: "alive", windows: budget)]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "spent") == 900, "booked");

        (await ledger.Http.PostAsync("/internal/edges/dead/closed", null)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => (await EnsureTests.AcquireAsync(ledger, budget, "alive", 100, charged: 400, granted: 400))[0] == "granted", "the 100 that it did not charge are back");
    }

    [Fact]
    public async Task What_a_dead_edge_had_charged_stays_held_until_the_journal_has_it_even_through_a_loss_of_Redis()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [.. s_fast, ("Ledger:GoneEdgeAfter", "00:00:01")]);
        var budget = Build.NewId();
        await ledger.EnsureAsync("dead", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 600);
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 1, charged: 450, granted: 600);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "leased") == 450, "450 of the 601 stay held, however long it is gone");
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from held_by_silent_edges") == 1, "noted in the database");

        await ledger.Redis.KeyDeleteAsync(LeaseScript.KeyOf(budget));
        var rebuilt = (await ledger.EnsureAsync("edge-2", Build.Ensure(budget, 1_000))).Windows.Single();
        Assert.Equal(450, rebuilt.Leased.NanoDollars);

        await ledger.PublishAsync([Build.Record(450, edge: "dead", windows: budget)], edge: "successor");
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "leased") == 0, "the spool came: what was held is spent");
        Assert.Equal(450, await EnsureTests.FieldAsync(ledger, budget, "spent"));
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from held_by_silent_edges") == 0, "the note is gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_closed_edge_held_is_back_at_once_unless_another_Ledger_may_have_its_last_records_in_hand(bool another)
    {
        // Passes are made by hand, and alone.
        await using var ledger = await LedgerHost.StartAsync(settings: [("Ledger:ReclaimEvery", "00:05:00"), ("Ledger:ClosedEdgeGrace", "00:10:00")]);
        var pass = ledger.Services.GetRequiredService<LeasePass>();
        if (another)
        {
            await ledger.ScalarAsync<string>("insert into ledger_processes (process_id) values ('another') returning process_id");
        }

        var budget = Build.NewId();
        await ledger.EnsureAsync("gone", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 600);
        (await ledger.Http.PostAsync("/internal/edges/gone/closed", null)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from closed_edges where settled_at is not null") == 1, "the queue was read up to its end");
        await Eventually.HoldsAsync(() => pass.RunOnceAsync(CancellationToken.None), "a pass was made");
        Assert.Equal(another ? 600 : 0, await EnsureTests.FieldAsync(ledger, budget, "leased"));

        await ledger.ScalarAsync<long>("with gone as (delete from ledger_processes where process_id = 'another' returning 1) select count(*) from gone");
        Assert.True(await pass.RunOnceAsync(CancellationToken.None));
        Assert.Equal(0, await EnsureTests.FieldAsync(ledger, budget, "leased"));
    }

    [Fact]
    public async Task Beside_another_Ledger_it_is_back_as_soon_as_each_of_them_says_that_its_hands_are_empty()
    {
        // Passes are made by hand, and alone.
        (string, string)[] settings = [("Ledger:ReclaimEvery", "00:05:00"), ("Ledger:ClosedEdgeGrace", "00:10:00")];
        await using var ledger = await LedgerHost.StartAsync(settings: settings);
        var pass = ledger.Services.GetRequiredService<LeasePass>();
        await Eventually.HoldsAsync(() => pass.RunOnceAsync(CancellationToken.None), "it has the duty");
        await using var other = await LedgerHost.StartAsync(ledger.DatabaseConnection, settings: settings);
        await Eventually.HoldsAsync(() => Task.FromResult(other.Services.GetRequiredService<Duty>().Listens), "the other one listens");
        var inHand = new TaskCompletionSource();
        var message = other.Services.GetRequiredService<MessagesUnderWay>().RunAsync(() => inHand.Task);

        var budget = Build.NewId();
        await ledger.EnsureAsync("gone", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 600);
        // As the process does that reads of the edge's end.
        await ledger.ScalarAsync<string>($"with told as (select pg_notify('{EmptyHands.EdgesChannel}', '')) insert into closed_edges (edge_id, settled_at) select 'gone', now() from told returning edge_id");
        await EmptyAsync(ledger, 1);
        Assert.True(await pass.RunOnceAsync(CancellationToken.None));
        Assert.Equal(600, await EnsureTests.FieldAsync(ledger, budget, "leased"));

        inHand.SetResult();
        await message;
        await EmptyAsync(ledger, 2);
        pass.LookAtAllSoon();
        Assert.True(await pass.RunOnceAsync(CancellationToken.None));
        Assert.Equal(0, await EnsureTests.FieldAsync(ledger, budget, "leased"));

        // Whichever of the two reads it.
        await EnsureTests.AcquireAsync(ledger, budget, "gone, too", 300);
        (await ledger.Http.PostAsync("/internal/edges/gone, too/closed", null)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(
            async () =>
            {
                pass.LookAtAllSoon();
                Assert.True(await pass.RunOnceAsync(CancellationToken.None));
                return await EnsureTests.FieldAsync(ledger, budget, "leased") == 0;
            }, "the grace is ten minutes, and nobody waited for it");

        static Task EmptyAsync(LedgerHost ledger, long processes) => Eventually.HoldsAsync(
            async () => await ledger.ScalarAsync<long>("select count(*) from ledger_processes where emptied_at > (select max(settled_at) from closed_edges)") == processes,
            $"{processes} of two have said that their hands are empty");
    }

    [Fact]
    public async Task Beside_an_older_version_that_has_no_name_a_Ledger_does_not_take_itself_for_alone()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using (var older = await LedgerHost.StartAsync(database))
        {
            await older.EnsureAsync("edge-1", Build.Ensure(Build.NewId(), 1_000));
            await using var undo = older.Database.CreateCommand("drop table ledger_processes; delete from schema_versions where scriptname like '%0014%' or scriptname like '%0016%'");
            await undo.ExecuteNonQueryAsync();
        }

        await using var ledger = await LedgerHost.StartAsync(database);
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from ledger_processes where process_id = 'an older version' and seen_at > now() + interval '30 minutes'"));
    }

    [Fact]
    public async Task A_Ledger_says_that_it_is_there_and_takes_one_for_gone_that_was_silent_for_long_and_its_own_name_goes_with_it()
    {
        await using var other = await LedgerHost.StartAsync(settings: [.. s_fast, ("Ledger:DutyEvery", "00:00:00.05")]);
        Assert.Equal(1L, await other.ScalarAsync<long>("select count(*) from ledger_processes"));
        await other.ScalarAsync<long>("insert into ledger_processes (process_id, seen_at) values ('killed', now()), ('hangs', now() + interval '1 day') returning 1::bigint");
        await Eventually.HoldsAsync(async () => await other.ScalarAsync<long>("select count(*) from ledger_processes where process_id = 'killed'") == 0, "the silent one is gone");
        Assert.Equal(2L, await other.ScalarAsync<long>("select count(*) from ledger_processes"));
        var own = other.Services.GetRequiredService<LedgerProcesses>();
        await own.StoppedAsync(CancellationToken.None);
        Assert.Equal(0L, await other.ScalarAsync<long>($"select count(*) from ledger_processes where process_id = '{own.Own}'"));
    }

    [Fact]
    public async Task A_closed_edge_keeps_what_it_said_that_it_had_charged_until_the_journal_has_it()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: s_fast);
        var log = ledger.Listen();
        var budget = Build.NewId();
        await ledger.EnsureAsync("gone", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 600);
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 1, charged: 450, granted: 600);
        // The rest of its records is in the hands of a Ledger that hangs.
        await ledger.PublishAsync([Build.Record(430, edge: "gone", windows: budget)], edge: "gone");
        (await ledger.Http.PostAsync("/internal/edges/gone/closed", null)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "leased") == 20, "what it did not say that it had charged is back");
        Assert.Equal("short", (await EnsureTests.AcquireAsync(ledger, budget, "alive", 551))[0]);
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from closed_edges where reclaimed_at is not null"));

        await ledger.PublishAsync([Build.Record(20, edge: "gone", windows: budget)], edge: "gone");
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from closed_edges where reclaimed_at is not null") == 1, "it is closed for good");
        Assert.Equal((0, 450), (await EnsureTests.FieldAsync(ledger, budget, "leased"), await EnsureTests.FieldAsync(ledger, budget, "spent")));
        Assert.DoesNotContain(log, static line => line.Contains("Edge gone is closed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_closed_edge_holds_nothing_any_more_when_nobody_waits_for_its_records()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [.. s_fast, ("Ledger:GoneEdgeAfter", "00:00:01")]);
        var log = ledger.Listen();
        var budget = Build.NewId();
        await ledger.EnsureAsync("gone", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 600);
        // It said that it charged 450; 20 of that was a request that never came to a record.
        await EnsureTests.AcquireAsync(ledger, budget, "gone", 1, charged: 450, granted: 600);
        await ledger.PublishAsync([Build.Record(430, edge: "gone", windows: budget)], edge: "gone");
        (await ledger.Http.PostAsync("/internal/edges/gone/closed", null)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "leased") == 0, "nothing is held");
        Assert.Equal(430, await EnsureTests.FieldAsync(ledger, budget, "spent"));
        await Eventually.HoldsAsync(() => Task.FromResult(log.Any(static line => line.StartsWith("Warning Edge gone is closed", StringComparison.Ordinal) && line.Contains("rejected_records", StringComparison.Ordinal))), "it is said that something may be missing");
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from held_by_silent_edges"));
    }

    [Fact]
    public async Task A_lease_of_a_window_that_was_idle_for_long_is_found_and_comes_back()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [.. s_fast, ("Ledger:GoneEdgeAfter", "00:00:01")]);
        var budget = Build.NewId();
        await ledger.EnsureAsync("dead", Build.Ensure(budget, 1_000));
        await using (var idle = ledger.Database.CreateCommand("update windows set touched_at = now() - interval '30 days'"))
        {
            await idle.ExecuteNonQueryAsync();
        }

        // Redis knows the window, so nobody asks Ledger.
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 600);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "leased") == 0, "it is gone for good");
    }

    [Fact]
    public async Task Totals_that_Redis_missed_are_told_again()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: s_fast);
        var budget = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "edge-1", 600);
        // As if a Ledger had been killed between its commit and its word to Redis.
        await ledger.Services.GetRequiredService<Ledger.Journal.JournalWriter>().AddAsync(
            [Ledger.Journal.JournalRules.FromUsage(Build.Record(100, windows: budget))], CancellationToken.None);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "spent") == 100, "Redis hears of it");
    }

    [Fact]
    public async Task What_a_silent_edge_holds_is_held_through_one_loss_of_Redis_after_the_other()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [("Ledger:LeaseTimeToLive", "00:05:00"), ("Ledger:ReclaimEvery", "00:00:00.05")]);
        var budget = Build.NewId();
        await ledger.EnsureAsync("dead", Build.Ensure(budget, 1_000));
        await EnsureTests.AcquireAsync(ledger, budget, "dead", 600);
        // It charges 500 of it, and dies before it says so.
        await ledger.Redis.HashSetAsync(LeaseScript.KeyOf(budget), "t:dead", DateTimeOffset.UtcNow.AddMinutes(-7).ToUnixTimeMilliseconds());
        await PassesAsync(ledger, budget);
        for (var loss = 0; loss < 3; loss++)
        {
            await ledger.Redis.KeyDeleteAsync(LeaseScript.KeyOf(budget));
            Assert.Equal(600, (await ledger.EnsureAsync("alive", Build.Ensure(budget, 1_000))).Windows.Single().Leased.NanoDollars);
            await PassesAsync(ledger, budget);
        }
    }

    [Fact]
    public async Task What_was_written_down_of_a_silent_edge_is_not_held_again_once_Redis_knows_better()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: [("Ledger:LeaseTimeToLive", "00:05:00"), ("Ledger:ReclaimEvery", "00:05:00")]);
        var budget = Build.NewId();
        await ledger.EnsureAsync("alive", Build.Ensure(budget, 1_000));
        // The pass has just taken back what a closed edge held, and has not struck off yet what was written down of it.
        await ledger.ScalarAsync<long>($"insert into held_by_silent_edges (window_id, edge_id, granted_nano) values ('{budget}', 'closed', 600) returning granted_nano");
        Assert.Equal(0, (await ledger.EnsureAsync("alive", Build.Ensure(budget, 1_000))).Windows.Single().Leased.NanoDollars);
    }

    // Returns when a pass over all windows has come to its end: the second one that was seen began after the first.
    private static async Task PassesAsync(LedgerHost ledger, string budget)
    {
        for (var pass = 0; pass < 2; pass++)
        {
            var version = await ledger.ScalarAsync<long>($"update windows set version = version + 1 where window_id = '{budget}' returning version");
            ledger.Services.GetRequiredService<LeasePass>().LookAtAllSoon();
            await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, budget, "spent_version") == version, "the pass told Redis of a version that it had missed");
        }
    }
}
