using System.Text.RegularExpressions;
using Gateway.Ledger.Accounts;
using Gateway.Ledger.Journal;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Accounts;

/// <summary>How PostgreSQL reads a statement's entries: plans and not seconds.</summary>
[Collection(LedgerTurns.Name)]
public sealed class StatementPlanTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_days_entries_are_read_once_whatever_PostgreSQL_knows_of_them(bool analyzed)
    {
        await using var ledger = await LedgerHost.StartAsync();
        var noon = DateTime.UtcNow.Date.AddHours(12);
        // Each with terms of its own, as where callers name their end users.
        JournalEntry[] entries = [.. Enumerable.Range(0, 3_000).Select(number => JournalRules.FromUsage(Build.Record(number, windows: "w") with { StartedAt = noon.AddMilliseconds(number) }))];
        await ledger.Services.GetRequiredService<JournalWriter>().AddAsync(entries, CancellationToken.None);
        if (analyzed)
        {
            await using var analyze = ledger.Database.CreateCommand("analyze journal.entries, journal.terms");
            await analyze.ExecuteNonQueryAsync();
        }

        foreach (var (account, found) in new[] { ("key/k1", 100), ("key/nobody", 0) })
        {
            await using var command = ledger.Database.CreateCommand("explain (analyze, costs off, timing off, summary off) " + Statements.LastEntries);
            command.Parameters.AddWithValue(account);
            command.Parameters.AddWithValue(noon.Date);
            command.Parameters.AddWithValue(noon.Date.AddDays(1));
            command.Parameters.AddWithValue(100);
            var plan = string.Join('\n', await command.TextsAsync());

            Assert.StartsWith($"Limit (actual rows={found} ", plan, StringComparison.Ordinal);
            Assert.All(Regex.Matches(plan, @" on entries_\d{4}_\d{2}.*loops=(\d+)"), static match => Assert.Equal("1", match.Groups[1].Value));
        }
    }
}
