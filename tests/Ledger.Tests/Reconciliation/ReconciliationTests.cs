using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Gateway.Ledger.Reconciliation;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Ledger.Tests.Reconciliation;

[Collection(LedgerTurns.Name)]
public sealed class ReconciliationTests
{
    [Fact]
    public async Task At_rest_journal_windows_Redis_and_usage_rows_agree()
    {
        await using var metering = await MeteringSaying(rows: 20, cost: 20_000);
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        await SpendAsync(ledger);
        var report = await RunAsync(ledger);
        Assert.True(report.GetProperty("balanced").GetBoolean(), report.ToString());
        Assert.Empty(report.GetProperty("not_compared").EnumerateArray());
        Assert.Equal(20, report.GetProperty("journal_entries").GetInt64());
        Assert.Equal(report.ToString(), (await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/reconciliation"))).GetProperty("balanced").GetBoolean() ? report.ToString() : "");
    }

    [Fact]
    public async Task A_batch_s_correction_is_taken_off_as_Metering_takes_it_off()
    {
        await using var metering = await MeteringSaying(rows: 2, cost: 250);
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        var batch = Build.Record(900) with { CallType = UsageRecord.BatchCall, StartedAt = DateTimeOffset.UtcNow.AddMinutes(-5) };
        await ledger.PublishAsync([batch, batch with { RequestId = Guid.CreateVersion7(), Corrects = batch.RequestId, Cost = new(-650) }]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 2, "booked");
        var report = await RunAsync(ledger);
        Assert.Equal((true, 0.00000025m), (report.GetProperty("balanced").GetBoolean(), report.GetProperty("journal_amount").GetDecimal()));
    }

    [Fact]
    public async Task A_window_of_which_Redis_has_only_a_part_is_a_difference_that_is_explained()
    {
        await using var metering = await MeteringSaying(rows: 20, cost: 20_000);
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        var window = await SpendAsync(ledger);
        await ledger.Redis.HashDeleteAsync(LeaseScript.KeyOf(window), "spent_version");
        var found = (await RunAsync(ledger)).GetProperty("differences").EnumerateArray().Single();
        Assert.Equal(("redis_spent", window), (found.GetProperty("kind").GetString(), found.GetProperty("subject").GetString()));
        Assert.Contains("Delete the key", found.GetProperty("explanation").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_day_has_too_much_does_not_make_up_for_what_another_lacks()
    {
        var now = DateTimeOffset.UtcNow.AddMinutes(-5);
        var days = new[] { now.AddDays(-1), now }.Select((at, index) => new { day = DateOnly.FromDateTime(at.UtcDateTime), rows = 1, cost = index == 0 ? 105 : 95 }).ToArray();
        await using var metering = WebApplication.CreateSlimBuilder().Build();
        metering.Urls.Add("http://127.0.0.1:0");
        metering.MapGet("/internal/usage/totals", (string by) => by == "day" ? Results.Json(days) : Results.BadRequest());
        await metering.StartAsync();
        await using var ledger = await LedgerHost.StartAsync(settings: [("services:metering:http:0", metering.Urls.Single()), ("Ledger:ReconcileDays", "3")]);
        await ledger.PublishAsync([Build.Record(100) with { StartedAt = now.AddDays(-1) }, Build.Record(100) with { StartedAt = now }]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 2, "booked");
        var differences = (await RunAsync(ledger)).GetProperty("differences").EnumerateArray().ToArray();
        Assert.Equal([0.000000005m, -0.000000005m], differences.Select(line => line.GetProperty("difference").GetDecimal()));
    }

    [Fact]
    public async Task What_edges_have_charged_and_nobody_has_booked_is_a_line_of_the_report()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", "http://127.0.0.1:1"));
        var (window, other) = (Build.NewId(), Build.NewId("key"));
        foreach (var id in (string[])[window, other])
        {
            await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1_000_000));
            await EnsureTests.AcquireAsync(ledger, id, "edge-1", 50_000);
            await EnsureTests.AcquireAsync(ledger, id, "edge-1", 1, charged: 450, granted: 50_000);
        }

        Assert.Equal(0.00000045m, (await RunAsync(ledger)).GetProperty("open_at_edges").GetDecimal());
        Assert.Contains("gateway_reconciliation_open_dollars{otel_scope_name=\"Gateway.Ledger\"} 4.5E-07", await MetricsAsync(ledger), StringComparison.Ordinal);
        await ledger.PublishAsync([Build.Record(450, windows: [window, other])]);
        await Eventually.HoldsAsync(async () => (await RunAsync(ledger)).GetProperty("open_at_edges").GetDecimal() == 0, "it came");
    }

    [Fact]
    public void Open_charges_age_as_long_as_nothing_of_them_is_booked()
    {
        var open = new OpenCharges();
        var start = DateTimeOffset.UtcNow;
        Assert.Equal((60, TimeSpan.Zero), LookAfter(0, charged: 100, posted: 40));
        Assert.Equal((90, TimeSpan.FromMinutes(10)), LookAfter(10, charged: 130, posted: 40));
        Assert.Equal((10, TimeSpan.Zero), LookAfter(20, charged: 130, posted: 120));
        Assert.Equal((0, TimeSpan.Zero), LookAfter(30, charged: 130, posted: 130));

        (long, TimeSpan) LookAfter(int minutes, long charged, long posted)
        {
            var seen = new Dictionary<(string, string), (long, long)>();
            OpenCharges.Note(seen, "user/a", new Dictionary<string, StackExchange.Redis.RedisValue> { ["c:e"] = charged, ["p:e"] = posted, ["g:e"] = 1_000 });
            var now = open.Look(seen, start.AddMinutes(minutes));
            Assert.Equal(now, open.Last);
            return now;
        }
    }

    [Fact]
    public async Task The_age_of_the_last_comparison_goes_on_through_a_restart()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using (var before = await LedgerHost.StartAsync(database, settings: ("services:metering:http:0", "http://127.0.0.1:1")))
        {
            await RunAsync(before);
            await using var older = before.Database.CreateCommand("update reconciliations set started_at = started_at - interval '1 hour'");
            await older.ExecuteNonQueryAsync();
        }

        await using var ledger = await LedgerHost.StartAsync(database);
        await Eventually.HoldsAsync(async () => AgeOf(await MetricsAsync(ledger)) is >= 3_600 and < 4_000, "an hour and the time since");
    }

    [Theory]
    [InlineData("windows", "update windows set spent_nano = spent_nano + 5")]
    [InlineData("accounts", "update account_days set spent_nano = spent_nano + 5 where account = 'key/k1'")]
    [InlineData("redis_spent", "redis:spent")]
    [InlineData("redis_leased", "redis:leased")]
    [InlineData("usage_rows", "")]
    public async Task A_difference_is_shown_and_explained_in_the_report_and_the_metric_and_nothing_is_changed(string kind, string damage)
    {
        await using var metering = await MeteringSaying(rows: 20, cost: damage.Length == 0 ? 20_005 : 20_000);
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        var window = await SpendAsync(ledger);
        if (damage.StartsWith("redis:", StringComparison.Ordinal))
        {
            await ledger.Redis.HashIncrementAsync(LeaseScript.KeyOf(window), damage[6..], 5);
        }
        else if (damage.Length > 0)
        {
            await using var command = ledger.Database.CreateCommand(damage);
            await command.ExecuteNonQueryAsync();
        }

        for (var run = 0; run < 2; run++)
        {
            var found = (await RunAsync(ledger)).GetProperty("differences").EnumerateArray().Where(line => line.GetProperty("kind").GetString() == kind).ToArray();
            Assert.Equal(0.000000005m, found.Single().GetProperty("difference").GetDecimal());
            Assert.NotEmpty(found.Single().GetProperty("explanation").GetString()!);
        }

        Assert.Contains($"gateway_reconciliation_difference_dollars{{otel_scope_name=\"Gateway.Ledger\",kind=\"{kind}\"}} 5E-09", await MetricsAsync(ledger), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_Metering_the_report_says_what_it_could_not_compare()
    {
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", "http://127.0.0.1:1"));
        var report = await RunAsync(ledger);
        Assert.Contains("did not answer", report.GetProperty("not_compared").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task T54_several_Ledgers_that_start_at_once_on_an_empty_database_all_come_up()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        var all = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => LedgerHost.StartAsync(database)));
        foreach (var ledger in all)
        {
            Assert.Equal("Healthy", await ledger.Http.GetStringAsync("/health/ready"));
            await ledger.DisposeAsync();
        }
    }

    private static async Task<string> SpendAsync(LedgerHost ledger)
    {
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000));
        await EnsureTests.AcquireAsync(ledger, window, "edge-1", 50_000);
        // Older than what may still be on its way.
        await ledger.PublishAsync(Enumerable.Range(0, 20).Select(_ => Build.Record(1_000, windows: window) with { StartedAt = DateTimeOffset.UtcNow.AddMinutes(-5) }));
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == 20_000, "booked");
        return window;
    }

    private static async Task<JsonElement> RunAsync(LedgerHost ledger) =>
        await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reconciliation/run?full=true"));

    private static double AgeOf(string metrics) => double.Parse(
        metrics.Split('\n').Last(line => line.StartsWith("gateway_reconciliation_age_seconds{", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<string> MetricsAsync(LedgerHost ledger) => await ledger.Http.GetStringAsync("/metrics");

    private static async Task<WebApplication> MeteringSaying(long rows, long cost)
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/internal/usage/totals", () => Results.Json(new[] { new { day = DateOnly.FromDateTime(DateTime.UtcNow.AddMinutes(-5)), rows, cost } }));
        await app.StartAsync();
        return app;
    }
}
