using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Duties;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Leases;
using Gateway.Ledger.Reconciliation;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gateway.Ledger.Tests.Reconciliation;

/// <summary>The regular comparison, which does not read the journal from its first entry, of windows that began long ago.</summary>
[Collection(LedgerTurns.Name)]
public sealed class OldWindowsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_wrong_total_of_a_budget_that_never_starts_again_is_found_by_every_regular_comparison(int comparedBefore)
    {
        await using var ledger = await StartAsync();
        var window = await WithEntriesAsync(ledger, Old(400), Old(20), Old(0));
        for (var run = 0; run < comparedBefore; run++)
        {
            Assert.Empty(await WindowsAsync(ledger));
        }

        await DoAsync(ledger, $"update windows set spent_nano = spent_nano + 5, touched_at = now() - interval '300 days' where window_id = '{window}'");
        for (var run = 0; run < 2; run++)
        {
            Assert.Equal([(window, 0.000000005m)], await WindowsAsync(ledger));
        }

        Assert.Equal([(window, 0.000000005m)], await WindowsAsync(ledger, full: true));
        await DoAsync(ledger, $"update windows set spent_nano = spent_nano - 5 where window_id = '{window}'");
        Assert.Empty(await WindowsAsync(ledger));
    }

    [Fact]
    public async Task What_was_added_up_is_not_read_again_and_a_record_that_comes_late_for_it_is_no_difference()
    {
        await using var ledger = await StartAsync();
        var window = await WithEntriesAsync(ledger, Old(20), Old(0));
        Assert.Empty(await WindowsAsync(ledger));
        Assert.Equal(1_000L, await ledger.ScalarAsync<long>($"select amount_nano from window_seals where window_id = '{window}'"));

        await BookAsync(ledger, window, Old(10), Old(0));
        Assert.Empty(await WindowsAsync(ledger));
        Assert.Equal(2_000L, await ledger.ScalarAsync<long>($"select amount_nano from window_seals where window_id = '{window}'"));

        // A seal that was changed is what the full comparison is for: it makes it anew.
        await DoAsync(ledger, "update window_seals set amount_nano = 7");
        Assert.Equal([(window, 0.000001993m)], await WindowsAsync(ledger));
        Assert.Empty(await WindowsAsync(ledger, full: true));
        Assert.Empty(await WindowsAsync(ledger));
    }

    [Fact]
    public async Task As_days_go_by_they_are_added_to_what_was_added_up()
    {
        await using var ledger = await StartAsync();
        var window = await WithEntriesAsync(ledger, Old(20), Old(3), Old(0));
        Assert.Empty(await WindowsAsync(ledger));
        // As if that had been eight days ago.
        await DoAsync(ledger, $"update windows_sealed set before = before - interval '8 days'; update window_seals set (amount_nano, entries) = (1000, 1) where window_id = '{window}'");
        Assert.Empty(await WindowsAsync(ledger));
        Assert.Equal((2_000L, 2L), (await ledger.ScalarAsync<long>("select amount_nano from window_seals"), await ledger.ScalarAsync<long>("select entries from window_seals")));
        await DoAsync(ledger, "update windows set spent_nano = spent_nano + 5");
        Assert.Equal([(window, 0.000000005m)], await WindowsAsync(ledger));
    }

    [Fact]
    public async Task What_was_never_added_up_is_month_by_month_and_what_is_done_stays_done()
    {
        await using var ledger = await StartAsync();
        var window = await WithEntriesAsync(ledger, Old(400), Old(70), Old(0));
        await DoAsync(ledger, $"update windows_sealed set before = '{Old(400):yyyy-MM}-01 00:00+00'");
        await using (var connection = await ledger.Database.OpenConnectionAsync())
        await using (var held = await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand($"lock table journal.entries_{Old(70):yyyy_MM} in access exclusive mode", connection, held);
            await hold.ExecuteNonQueryAsync();
            using var left = new CancellationTokenSource();
            var run = ledger.Services.GetRequiredService<Reconciler>().RunAsync(full: false, left.Token);
            await Eventually.HoldsAsync(() => ledger.ScalarAsync<bool>($"select before = '{Old(70):yyyy-MM}-01 00:00+00' from windows_sealed"), "sealed up to the month that is held");
            Assert.Equal(1_000L, await ledger.ScalarAsync<long>($"select amount_nano from window_seals where window_id = '{window}'"));
            await left.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }

        Assert.Empty(await WindowsAsync(ledger));
        Assert.Equal(2_000L, await ledger.ScalarAsync<long>($"select amount_nano from window_seals where window_id = '{window}'"));
    }

    [Fact]
    public async Task A_full_comparison_goes_on_when_its_caller_was_told_to_come_back()
    {
        await using var ledger = await StartAsync(null, ("Ledger:ReconcileAnswerAfter", "00:00:00.1"), ("services:metering:http:0", "http://127.0.0.1:1"));
        await using (var connection = await ledger.Database.OpenConnectionAsync())
        await using (var held = await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand("select before from windows_sealed for update", connection, held);
            await hold.ExecuteScalarAsync();
            for (var asked = 0; asked < 2; asked++)
            {
                var answer = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reconciliation/run?full=true");
                Assert.Equal((202, "/budget/reconciliation"), ((int)answer.StatusCode, answer.Headers.Location?.OriginalString));
            }
        }

        await Eventually.HoldsAsync(() => ledger.ScalarAsync<bool>("select count(*) = 1 from reconciliations where (report ->> 'full')::boolean"), "one report of both");
    }

    [Fact]
    public async Task A_month_that_was_taken_out_of_the_journal_is_no_difference()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using (var before = await StartAsync(database))
        {
            await WithEntriesAsync(before, Old(300), Old(20), Old(0));
            Assert.Empty(await WindowsAsync(before));
        }

        await using var ledger = await StartAsync(database, ("Ledger:RecordAgeMax", "31.00:00:00"), ("Ledger:JournalRetention", "200.00:00:00"), ("services:metering:http:0", "http://127.0.0.1:1"));
        Assert.Empty(await WindowsAsync(ledger));
        await DoAsync(ledger, $"""
            update windows w set archived_nano = 1000;
            alter table journal.entries detach partition journal.entries_{Old(300):yyyy_MM}
            """);
        Assert.Empty(await WindowsAsync(ledger));
        Assert.Empty(await WindowsAsync(ledger, full: true));
        Assert.Empty(await WindowsAsync(ledger));
    }

    [Fact]
    public async Task Two_processes_that_compare_at_once_both_come_to_the_same()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var ledger = await StartAsync(database);
        await using var other = await StartAsync(database);
        await WithEntriesAsync(ledger, Old(20), Old(10), Old(0));
        for (var round = 0; round < 5; round++)
        {
            await DoAsync(ledger, "update windows_sealed set before = '-infinity'; delete from window_seals");
            Assert.All(await Task.WhenAll(WindowsAsync(ledger), WindowsAsync(other), WindowsAsync(ledger, full: true)), Assert.Empty);
        }
    }

    [Fact]
    public async Task The_total_of_an_old_day_is_compared_by_the_full_comparison()
    {
        await using var ledger = await StartAsync();
        await WithEntriesAsync(ledger, Old(20), Old(0));
        await DoAsync(ledger, $"update account_days set spent_nano = spent_nano + 5 where account = 'key/k1' and day = '{Old(20):yyyy-MM-dd}'");
        Assert.Empty(await DifferencesAsync(ledger, "accounts"));
        Assert.Equal([($"key/k1 on {Old(20):yyyy-MM-dd}", 0.000000005m)], await DifferencesAsync(ledger, "accounts", full: true));
    }

    [Fact]
    public async Task Of_the_days_that_are_compared_again_and_again_each_entry_is_added_up_once_and_a_late_one_anew()
    {
        await using var ledger = await StartAsync();
        // Eleven hours ago may be yesterday: both days are compared.
        var then = DateTimeOffset.UtcNow.AddHours(-11);
        var window = await WithEntriesAsync(ledger, then, Old(0));
        Assert.Empty(await DifferencesAsync(ledger, "accounts"));
        Assert.Equal(1_000L, await SealedAsync());
        await BookAsync(ledger, window, then.AddHours(1), Old(0));
        Assert.Empty(await DifferencesAsync(ledger, "accounts"));
        Assert.Equal(2_000L, await SealedAsync());

        await DoAsync(ledger, $"update account_days set spent_nano = spent_nano + 5 where account = 'key/k1' and day = '{then:yyyy-MM-dd}'");
        foreach (var full in (bool[])[false, true, false])
        {
            Assert.Equal([($"key/k1 on {then:yyyy-MM-dd}", 0.000000005m)], await DifferencesAsync(ledger, "accounts", full));
        }

        // A seal that was changed is what the full comparison is for.
        await DoAsync(ledger, "update account_days set spent_nano = spent_nano - 5 where account = 'key/k1' and day = '" + then.ToString("yyyy-MM-dd") + "'; update account_day_seals set amount_nano = amount_nano - 7 where account = 'key/k1'");
        Assert.NotEmpty(await DifferencesAsync(ledger, "accounts"));
        Assert.Empty(await DifferencesAsync(ledger, "accounts", full: true));
        Assert.Empty(await DifferencesAsync(ledger, "accounts"));

        // A day is forgotten when it is not compared any more.
        await DoAsync(ledger, "insert into account_day_seals values ('key/k1', '2020-01-01', 5, 1)");
        Assert.Empty(await DifferencesAsync(ledger, "accounts"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from account_day_seals where day = '2020-01-01'"));

        Task<long> SealedAsync() => ledger.ScalarAsync<long>("select sum(amount_nano)::bigint from account_day_seals where account = 'key/k1'");
    }

    [Fact]
    public async Task A_wrong_total_in_Redis_of_an_open_window_that_is_idle_for_long_is_found()
    {
        await using var ledger = await StartAsync();
        var window = await WithEntriesAsync(ledger, Old(20));
        await DoAsync(ledger, "update windows set touched_at = now() - interval '19 days'");
        Assert.Empty(await DifferencesAsync(ledger, "redis_spent"));
        await ledger.Redis.HashIncrementAsync(LeaseScript.KeyOf(window), "spent", 5);
        Assert.Equal([(window, 0.000000005m)], await DifferencesAsync(ledger, "redis_spent"));
    }

    private static DateTimeOffset Old(int days) => DateTimeOffset.UtcNow.AddMinutes(-5).AddDays(-days);

    private static async Task<string> WithEntriesAsync(LedgerHost ledger, params DateTimeOffset[] at)
    {
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000));
        await BookAsync(ledger, window, at);
        return window;
    }

    private static async Task BookAsync(LedgerHost ledger, string window, params DateTimeOffset[] at)
    {
        var spent = await EnsureTests.FieldAsync(ledger, window, "spent");
        await ledger.PublishAsync(at.Select(instant => Build.Record(1_000, windows: window) with { StartedAt = instant }));
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == spent + (1_000 * at.Length), "booked");
    }

    private static Task<(string Window, decimal Difference)[]> WindowsAsync(LedgerHost ledger, bool full = false) => DifferencesAsync(ledger, "windows", full);

    private static async Task<(string Subject, decimal Difference)[]> DifferencesAsync(LedgerHost ledger, string kind, bool full = false)
    {
        var report = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, $"/budget/reconciliation/run?full={full}"));
        return [.. report.GetProperty("differences").EnumerateArray().Where(line => line.GetProperty("kind").GetString() == kind)
            .Select(line => (line.GetProperty("subject").GetString()!, line.GetProperty("difference").GetDecimal()))];
    }

    private static async Task DoAsync(LedgerHost ledger, string sql)
    {
        await using var command = ledger.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static Task<LedgerHost> StartAsync(string? database = null, params (string, string)[] settings) =>
        LedgerHost.StartAsync(database, settings: [.. settings.Length > 0 ? settings : [("Ledger:RecordAgeMax", "1000.00:00:00")], ("services:metering:http:0", "http://127.0.0.1:1")]);
}
