using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Ledger.Duties;
using Gateway.Ledger.Reconciliation;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Takes months out of the journal that are older than <see cref="LedgerOptions.JournalRetention"/>, on the process on duty. Never one that
/// does not agree with the totals and with the usage rows that are still there: what nobody has explained stays. Totals stay: statements go
/// on from their days, and windows remember what the month came to.
/// </summary>
internal sealed class JournalRetention(
    NpgsqlDataSource database, Duty duty, IHttpClientFactory clients, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<JournalRetention> logger)
    : HourlyDuty(clock, logger)
{
    // A month is read whole.
    private const int MonthSeconds = 3_600;
    private const string Entries = "entries";
    private const string Suffix = "'_'yyyy'_'MM";

    /// <summary>One run: the months that were taken out.</summary>
    public async Task<IReadOnlyList<DateOnly>> RunAsync(CancellationToken cancellation)
    {
        if (options.Value.JournalRetention is not { } retention || !duty.IsMine)
        {
            return [];
        }

        var before = DateOnly.FromDateTime((Clock.GetUtcNow() - retention).UtcDateTime);
        var taken = new List<DateOnly>();
        foreach (var month in (await MonthsAsync(cancellation)).Where(month => month.AddMonths(1) <= before))
        {
            if (await WhyNotAsync(month, cancellation) is { } why)
            {
                // No later one either: days before the first entry count as taken out, and this one's are not.
                Logger.MonthKept(month, why);
                break;
            }

            await TakeOutAsync(month, cancellation);
            Logger.MonthTakenOut(month, options.Value.JournalDrop ? "dropped" : "moved to schema journal_archive");
            taken.Add(month);
        }

        return taken;
    }

    protected override Task LookAsync(CancellationToken cancellation) => RunAsync(cancellation);

    private async Task<List<DateOnly>> MonthsAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'journal.entries'::regclass order by 1
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var months = new List<DateOnly>();
        while (await reader.ReadAsync(cancellation))
        {
            // A partition of another name is somebody else's: it is left alone.
            if (reader.GetString(0) is var name && name.StartsWith(Entries, StringComparison.Ordinal)
                && DateOnly.TryParseExact(name[Entries.Length..], Suffix, CultureInfo.InvariantCulture, DateTimeStyles.None, out var month))
            {
                months.Add(month);
            }
        }

        return months;
    }

    // Why a month has to stay; null when nothing speaks for it.
    private async Task<string?> WhyNotAsync(DateOnly month, CancellationToken cancellation)
    {
        await using (var totals = database.CreateCommand($"""
            with booked as (
                select a as account, e.day, sum(e.amount)::bigint as amount {JournalSql.AddedUp(month: SuffixOf(month))}, unnest(t.accounts) a group by 1, 2)
            select count(*) from booked b full join (select * from account_days where day >= $1 and day < $2) d on d.account = b.account and d.day = b.day
            where coalesce(b.amount, 0) <> coalesce(d.spent_nano, 0)
            """))
        {
            totals.CommandTimeout = MonthSeconds;
            totals.Parameters.AddWithValue(month);
            totals.Parameters.AddWithValue(month.AddMonths(1));
            if ((long)(await totals.ExecuteScalarAsync(cancellation))! is > 0 and var different)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{different} totals of accounts and days are not the sums of its entries");
            }
        }

        await using var sum = database.CreateCommand(
            $"select count(*), coalesce(sum(case when reverses then -amount_nano else amount_nano end), 0)::bigint from journal.entries{SuffixOf(month)} where kind = 'usage'");
        sum.CommandTimeout = MonthSeconds;
        await using var reader = await sum.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return await UsageDiffersAsync(month, reader.GetInt64(0), reader.GetInt64(1), cancellation);
    }

    // Metering's own retention may have taken the rows already: then there is nothing to compare with.
    private async Task<string?> UsageDiffersAsync(DateOnly month, long entries, long amount, CancellationToken cancellation)
    {
        try
        {
            using var client = clients.CreateClient(Reconciler.MeteringClient);
            var usage = await client.GetFromJsonAsync<UsageTotals>($"/internal/usage/totals?from={month:yyyy-MM-dd}T00:00:00Z&to={month.AddMonths(1):yyyy-MM-dd}T00:00:00Z", cancellation);
            return usage is null or { Rows: 0 } || (usage.Rows == entries && usage.Cost == amount)
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"it has {entries} requests of {amount} nano-dollars, Metering {usage.Rows} rows of {usage.Cost}");
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or InvalidOperationException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return $"Metering did not answer ({error.GetType().Name}), so it was not compared";
        }
    }

    // The month is added up first, which is long and in nobody's way. Then the journal before its windows, as who books takes them: that is
    // short, and where it is not to be had in time the next hour tries again.
    private async Task TakeOutAsync(DateOnly month, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var take = new NpgsqlCommand($"""
            set local lock_timeout = '5s';
            lock table journal.entries{SuffixOf(month)}, journal.terms{SuffixOf(month)} in share mode;
            create temp table taken_out on commit drop as
                select counted.window_id, sum(e.amount)::bigint as amount {JournalSql.AddedUp(month: SuffixOf(month))}, unnest(t.windows) as counted (window_id) group by 1;
            lock table only journal.entries in access exclusive mode;
            lock table only journal.terms in access exclusive mode;
            update windows w set archived_nano = archived_nano + m.amount from taken_out m where m.window_id = w.window_id;
            alter table journal.entries detach partition journal.entries{SuffixOf(month)};
            alter table journal.terms detach partition journal.terms{SuffixOf(month)};
            {(options.Value.JournalDrop
                ? $"drop table journal.entries{SuffixOf(month)}, journal.terms{SuffixOf(month)};"
                : $"create schema if not exists journal_archive; alter table journal.entries{SuffixOf(month)} set schema journal_archive; alter table journal.terms{SuffixOf(month)} set schema journal_archive;")}
            """, connection)
        {
            CommandTimeout = MonthSeconds,
        };
        await take.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    private static string SuffixOf(DateOnly month) => month.ToString(Suffix, CultureInfo.InvariantCulture);
}
