using Gateway.Ledger.Budgets;
using Gateway.Ledger.Duties;
using Gateway.Ledger.Leases;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Duties;

[Collection(LedgerTurns.Name)]
public sealed class DutyTests
{
    private static readonly (string, string)[] s_settings = [("Ledger:DutyEvery", "00:00:00.2"), ("Ledger:ReclaimEvery", "00:05:00")];

    [Fact]
    public async Task T27_jobs_run_on_one_process_and_another_takes_them_over_when_it_ends()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var second = await StartAsync(database, out var secondDuty);
        await using (await StartAsync(database, out var firstDuty))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(firstDuty().IsMine != secondDuty().IsMine), "one of two has the duty");
            var idle = secondDuty().IsMine ? firstDuty : secondDuty;
            Assert.Equal(idle == secondDuty, !await Pass(second).RunOnceAsync(CancellationToken.None));
        }

        await Eventually.HoldsAsync(() => Task.FromResult(secondDuty().IsMine), "the one that is left has it");
        Assert.True(await Pass(second).RunOnceAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_process_whose_session_is_ended_by_the_database_takes_its_turn_again()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var ledger = await StartAsync(database, out var duty);
        await Eventually.HoldsAsync(() => Task.FromResult(duty().IsMine), "it has the duty");
        var changes = duty().BudgetsChanged;
        // As the database does with a session that was idle for too long: its process hung.
        Assert.Equal(1, await ledger.ScalarAsync<long>("select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"));
        await Eventually.HoldsAsync(() => Task.FromResult(duty().IsMine && duty().BudgetsChanged > changes), "it stands there again, and trusts nothing that it knew");
    }

    [Fact]
    public async Task A_changed_budget_reaches_the_edges_of_every_process_at_once_and_what_is_unchanged_asks_the_database_nothing()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var first = await StartAsync(database, out var firstDuty);
        await using var second = await StartAsync(database, out var secondDuty);
        await Eventually.HoldsAsync(() => Task.FromResult(firstDuty().Listens && secondDuty().Listens), "both listen");
        var known = second.Services.GetRequiredService<KnownDefinitions>();
        var before = await known.GetAsync(CancellationToken.None);
        Assert.Same(before, await known.GetAsync(CancellationToken.None));

        var id = $"tag/{Build.NewId().Replace('/', '-')}";
        (await first.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 5 })).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => (await known.GetAsync(CancellationToken.None)).Any(definition => definition.Id == id), "the other process has it");
        (await first.AsAdminAsync(HttpMethod.Post, "/budget/delete", new { id })).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => (await known.GetAsync(CancellationToken.None)).All(definition => definition.Id != id), "and not any more");
    }

    private static Task<LedgerHost> StartAsync(string database, out Func<Duty> duty)
    {
        var starting = LedgerHost.StartAsync(database, settings: s_settings);
        duty = () => starting.Result.Services.GetRequiredService<Duty>();
        return starting;
    }

    private static LeasePass Pass(LedgerHost ledger) => ledger.Services.GetRequiredService<LeasePass>();
}
