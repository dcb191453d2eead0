using Gateway.Contracts;
using Gateway.Ledger.Budgets;
using Gateway.Ledger.Duties;
using Gateway.Ledger.Leases;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Budgets;

/// <summary>What is forgotten of budgets that are over, and what never is.</summary>
[Collection(LedgerTurns.Name)]
public sealed class WindowRetentionTests
{
    [Theory]
    [InlineData(null, 401, 399)]
    [InlineData("100.00:00:00", 101, 99)]
    public async Task Windows_that_are_over_for_long_go_with_all_that_hangs_on_them_and_no_other(string? keptFor, int old, int young)
    {
        await using var ledger = await StartAsync(settings: keptFor is null ? [] : [("Ledger:WindowsKeptFor", keptFor), ("Ledger:RecordAgeMax", keptFor)]);
        await AddWindowsAsync(ledger, "old", begin: old + 1, end: old, touched: old, (2 * ForgottenPieces.Max) + 1);
        await AddWindowsAsync(ledger, "old-and-never-opened", begin: old + 1, end: null, touched: old);
        await AddWindowsAsync(ledger, "young", begin: young + 1, end: young, touched: young);
        await AddWindowsAsync(ledger, "touched-lately", begin: 1_000, end: 999, touched: young);
        await AddWindowsAsync(ledger, "endless", begin: null, end: null, touched: 2_000);
        await AddWindowsAsync(ledger, "open", begin: 3_000, end: -10, touched: 2_000);

        Assert.Equal(((2 * ForgottenPieces.Max) + 2, (2 * ForgottenPieces.Max) + 2), await RunAsync(ledger) is var gone ? (gone.Windows, gone.Alerts) : default);

        const string Left = "endless-1 open-1 touched-lately-1 young-1";
        foreach (var table in (string[])["windows", "window_edges", "held_by_silent_edges", "window_seals", "(select subject as window_id from alerts)"])
        {
            Assert.Equal(Left, await ledger.ScalarAsync<string>($"select string_agg(window_id, ' ' order by window_id collate \"C\") from {table} t"));
        }

        Assert.Equal(default, await RunAsync(ledger));
    }

    [Fact]
    public async Task What_a_closed_edge_was_booked_goes_when_its_leases_are_back_for_two_days_and_that_of_others_stays()
    {
        await using var ledger = await StartAsync();
        await DoAsync(ledger, $"""
            insert into closed_edges (edge_id, settled_at, reclaimed_at) values
                ('over', now() - interval '3 days', now() - interval '49 hours'), ('just-closed', now() - interval '3 days', now() - interval '47 hours'), ('still-owing', now() - interval '9 days', null);
            insert into window_edges (window_id, edge_id, posted_nano)
            select 'w' || n, edge, 5 from generate_series(1, {ForgottenPieces.Max + 1}) n, unnest(array['over', 'just-closed', 'still-owing', 'alive']) edge
            """);

        Assert.Equal(new ForgottenRows(0, ForgottenPieces.Max + 1, 1, 0, 0), await RunAsync(ledger));

        Assert.Equal("alive just-closed still-owing", await ledger.ScalarAsync<string>("select string_agg(distinct edge_id, ' ' order by edge_id) from window_edges"));
        Assert.Equal("just-closed still-owing", await ledger.ScalarAsync<string>("select string_agg(edge_id, ' ' order by edge_id) from closed_edges"));
    }

    [Fact]
    public async Task Old_reports_go_but_for_the_last_and_alerts_go_with_deliveries_that_were_given_up()
    {
        await using var ledger = await StartAsync();
        await DoAsync(ledger, "insert into reconciliations (started_at, report) select now() - interval '91 days', '{}' from generate_series(1, 3)");
        await DoAsync(ledger, """
            insert into alerts (subject, event, raised_at, body) values ('model/a@2020-01-01', 'told', now() - interval '500 days', '{}'), ('model/a@2020-01-01', 'given-up', now() - interval '401 days', '{}'),
                ('model/a@2020-01-01', 'late', now() - interval '399 days', '{}');
            insert into alert_deliveries (alert_id, channel, next_try_at, attempts) select id, 'webhook', now() + interval '1 hour', 20 from alerts where event <> 'told'
            """);

        Assert.Equal(new ForgottenRows(0, 0, 0, 2, 2), await RunAsync(ledger));
        Assert.Equal(("late", 3L), (await ledger.ScalarAsync<string>("select event from alerts join alert_deliveries on alert_id = alerts.id"), await ledger.ScalarAsync<long>("select id from reconciliations")));
    }

    [Fact]
    public async Task Redis_forgets_a_window_two_days_after_its_end_and_never_one_that_has_none()
    {
        await using var ledger = await StartAsync();
        var (daily, endless) = (Build.Ensure(Build.NewId(), 1_000, period: "1d"), Build.Ensure(Build.NewId(), 1_000));
        await ledger.EnsureAsync("edge-1", daily, endless);
        await EnsureTests.AcquireAsync(ledger, daily.Window.Id, "edge-1", 100);
        var left = (await ledger.Redis.KeyTimeToLiveAsync(LeaseScript.KeyOf(daily.Window.Id)))!.Value;
        Assert.InRange(left - (daily.Window.End!.Value.AddDays(2) - DateTimeOffset.UtcNow), TimeSpan.FromSeconds(-10), TimeSpan.FromSeconds(10));
        Assert.Null(await ledger.Redis.KeyTimeToLiveAsync(LeaseScript.KeyOf(endless.Window.Id)));
    }

    [Fact]
    public async Task A_process_that_is_not_on_duty_forgets_nothing()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var onDuty = await StartAsync(database);
        await using var other = await LedgerHost.StartAsync(database);
        await AddWindowsAsync(onDuty, "old", begin: 402, end: 401, touched: 401);

        Assert.Equal(default, await RunAsync(other));
        Assert.Equal(1, (await RunAsync(onDuty)).Windows);
    }

    private static Task<ForgottenRows> RunAsync(LedgerHost ledger) => ledger.Services.GetRequiredService<WindowRetention>().RunAsync(CancellationToken.None);

    private static async Task<LedgerHost> StartAsync(string? database = null, params (string, string)[] settings)
    {
        var ledger = await LedgerHost.StartAsync(database, settings: settings);
        await Eventually.HoldsAsync(() => Task.FromResult(ledger.Services.GetRequiredService<Duty>().IsMine), "on duty");
        return ledger;
    }

    // Days ago; a negative one is to come.
    private static Task AddWindowsAsync(LedgerHost ledger, string name, int? begin, int? end, int touched, int count = 1) => DoAsync(ledger, $"""
        with made as (
            insert into windows (window_id, budget_id, period, starts_at, ends_at, touched_at)
            select '{name}-' || n, 'user/a', '', {At(begin)}, {At(end)}, {At(touched)} from generate_series(1, {count}) n returning window_id),
        edges as (insert into window_edges select window_id, 'edge-1', 5 from made),
        held as (insert into held_by_silent_edges (window_id, edge_id, granted_nano) select window_id, 'edge-1', 5 from made),
        seals as (insert into window_seals select window_id, 5, 1 from made)
        insert into alerts (subject, event, raised_at, body) select window_id, 'budget_crossed', {At(touched)}, '{"{}"}' from made
        """);

    private static string At(int? daysAgo) => daysAgo is { } days ? $"now() - interval '{days} days'" : "null";

    private static async Task DoAsync(LedgerHost ledger, string sql)
    {
        await using var command = ledger.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
