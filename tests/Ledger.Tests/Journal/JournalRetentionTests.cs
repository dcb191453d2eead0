using Gateway.Ledger.Duties;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Journal;

[Collection(LedgerTurns.Name)]
public sealed class JournalRetentionTests
{
    private static readonly DateTimeOffset s_old = DateTimeOffset.UtcNow.AddDays(-600);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_month_past_the_retention_is_taken_out_and_every_total_stays(bool drop)
    {
        await using var metering = await MeteringSaying(rows: 3, cost: 250);
        var (database, window) = await WithOldEntriesAsync(metering.Urls.Single());
        await using var ledger = await StartAsync(database, metering.Urls.Single(), ("Ledger:JournalRetention", "450.00:00:00"), ("Ledger:JournalDrop", $"{drop}"));
        Assert.Equal([new DateOnly(s_old.Year, s_old.Month, 1)], await RetentionOf(ledger).RunAsync(CancellationToken.None));

        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.terms"));
        foreach (var table in new[] { "entries", "terms" })
        {
            Assert.Equal(!drop, await ledger.ScalarAsync<bool>($"select to_regclass('journal_archive.{table}_{s_old:yyyy_MM}') is not null"));
            Assert.True(await ledger.ScalarAsync<bool>($"select to_regclass('journal.{table}_{s_old:yyyy_MM}') is null"));
        }

        Assert.Equal(254L, await ledger.ScalarAsync<long>($"select spent_nano from windows where window_id = '{window}'"));
        var report = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reconciliation/run?full=true"));
        Assert.DoesNotContain(report.GetProperty("differences").EnumerateArray(), difference => difference.GetProperty("kind").GetString() is "windows" or "accounts");
        var statement = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/statement?account=key/k1"));
        Assert.Equal((0.00000025m, 0.000000254m), (statement.GetProperty("opening_balance").GetDecimal(), statement.GetProperty("closing_balance").GetDecimal()));
        Assert.Empty(await RetentionOf(ledger).RunAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("update account_days set spent_nano = spent_nano + 1", 250)]
    [InlineData("select 1", 251)]
    public async Task A_month_that_does_not_agree_stays(string damage, long usageCost)
    {
        await using var metering = await MeteringSaying(rows: 3, cost: usageCost);
        var (database, _) = await WithOldEntriesAsync(metering.Urls.Single());
        await using var ledger = await StartAsync(database, metering.Urls.Single(), ("Ledger:JournalRetention", "450.00:00:00"));
        await using (var command = ledger.Database.CreateCommand(damage))
        {
            await command.ExecuteNonQueryAsync();
        }

        Assert.Empty(await RetentionOf(ledger).RunAsync(CancellationToken.None));
        Assert.Equal(4L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
    }

    [Fact]
    public async Task No_month_is_taken_out_before_an_earlier_one_that_stays()
    {
        await using var metering = await MeteringSaying(rows: 3, cost: 250);
        // The earlier one has one request, of which Metering knows nothing.
        var (database, _) = await WithOldEntriesAsync(metering.Urls.Single(), s_old.AddDays(-40));
        await using var ledger = await StartAsync(database, metering.Urls.Single(), ("Ledger:JournalRetention", "450.00:00:00"));
        Assert.Empty(await RetentionOf(ledger).RunAsync(CancellationToken.None));
        var report = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reconciliation/run?full=true"));
        Assert.DoesNotContain(report.GetProperty("differences").EnumerateArray(), difference => difference.GetProperty("kind").GetString() is "windows" or "accounts");
    }

    private static async Task<(string Database, string Window)> WithOldEntriesAsync(string metering, params DateTimeOffset[] others)
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        var window = Build.NewId();
        await using var ledger = await StartAsync(database, metering, ("Ledger:RecordAgeMax", "1000.00:00:00"));
        await ledger.PublishAsync([
            Build.Record(100, windows: window) with { StartedAt = s_old }, Build.Record(-50, windows: window) with { StartedAt = s_old, Corrects = Guid.CreateVersion7() },
            Build.Record(200, windows: window) with { StartedAt = s_old }, Build.Record(4, windows: window),
            .. others.Select(at => Build.Record(1, windows: window) with { StartedAt = at })]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 4 + others.Length, "booked");
        // A person's own partition is no month, and no reason to stop.
        await using var foreign = ledger.Database.CreateCommand("create table journal.kept_by_hand partition of journal.entries for values from ('1999-01-01') to ('1999-02-01')");
        await foreign.ExecuteNonQueryAsync();
        return (database, window);
    }

    private static async Task<LedgerHost> StartAsync(string database, string metering, params (string, string)[] settings)
    {
        var ledger = await LedgerHost.StartAsync(database, settings: [.. settings, ("services:metering:http:0", metering)]);
        await Eventually.HoldsAsync(() => Task.FromResult(ledger.Services.GetRequiredService<Duty>().IsMine), "on duty");
        return ledger;
    }

    private static JournalRetention RetentionOf(LedgerHost ledger) => ledger.Services.GetRequiredService<JournalRetention>();

    private static async Task<WebApplication> MeteringSaying(long rows, long cost)
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/internal/usage/totals", () => Results.Json(new { rows, cost }));
        await app.StartAsync();
        return app;
    }
}
