using Gateway.Ledger.Leases;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;

namespace Gateway.Ledger.Tests.Leases;

/// <summary>A cluster that was stopped answers at once when it is started again, and forgets nothing.</summary>
[Collection(LedgerTurns.Name)]
public sealed class ParkingTests
{
    [Fact]
    public async Task After_a_clean_stop_of_all_the_next_start_grants_at_once_and_what_is_not_booked_yet_is_still_held()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        var budget = Build.NewId();
        await using (var ledger = await LedgerHost.StartAsync(database))
        {
            await ledger.EnsureAsync("gone", Build.Ensure(budget, 1_000));
            await EnsureTests.AcquireAsync(ledger, budget, "gone", 600);
            // It charged 450 and gave the rest back; its records are on their way when everything stops.
            await ledger.Redis.ScriptEvaluateAsync(LeaseScript.Heartbeat, [LeaseScript.KeyOf(budget)], ["gone", 450, 600, 150]);
            (await ledger.Http.PostAsync("/internal/edges/gone/closed", null)).EnsureSuccessStatusCode();
        }

        await using var next = await LedgerHost.StartAsync(database);
        var opened = (await next.EnsureAsync("edge-2", Build.Ensure(budget, 1_000))).Windows.Single();
        Assert.Equal(450, opened.Leased.NanoDollars);
        Assert.Equal("granted", (await EnsureTests.AcquireAsync(next, budget, "edge-2", 550))[0]);
        Assert.Equal("short", (await EnsureTests.AcquireAsync(next, budget, "edge-2", 1, granted: 550))[0]);
    }

    [Fact]
    public async Task A_window_that_a_living_edge_uses_stays_so_that_teams_see_nothing_of_a_restart_of_Ledger()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        var budget = Build.NewId();
        await using (var ledger = await LedgerHost.StartAsync(database))
        {
            await ledger.EnsureAsync("alive", Build.Ensure(budget, 1_000));
            await EnsureTests.AcquireAsync(ledger, budget, "alive", 600);
        }

        await using var next = await LedgerHost.StartAsync(database);
        Assert.Equal("granted", (await EnsureTests.AcquireAsync(next, budget, "alive", 100, granted: 600))[0]);
    }

    [Fact]
    public async Task A_parked_window_that_was_opened_again_and_then_lost_waits_for_the_edges_like_any_other()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        var budget = Build.NewId();
        await using (var ledger = await LedgerHost.StartAsync(database))
        {
            await ledger.EnsureAsync("idle", Build.Ensure(budget, 1_000));
        }

        await using var next = await LedgerHost.StartAsync(database);
        await next.EnsureAsync("edge-2", Build.Ensure(budget, 1_000));
        await next.Redis.KeyDeleteAsync(LeaseScript.KeyOf(budget));
        await next.EnsureAsync("edge-3", Build.Ensure(budget, 1_000));
        Assert.Equal("rebuilding", (await EnsureTests.AcquireAsync(next, budget, "edge-3", 1))[0]);
    }
}
