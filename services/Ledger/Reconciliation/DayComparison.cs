using Gateway.Ledger.Journal;
using Npgsql;

namespace Gateway.Ledger.Reconciliation;

/// <summary>Each account's total of each day against the journal's entries of that day, in the snapshot of one transaction (<see cref="Seals"/>).</summary>
internal sealed class DayComparison(NpgsqlConnection connection)
{
    private const int DifferencesMax = 100;

    // What entries from $1 on count for accounts: a row for each account, day and terms that it stands in.
    private static string Counted(string which = "true") =>
        $"select a as account, e.day, e.amount, e.entries {JournalSql.AddedUp($"at >= $1 and {which}")}, unnest(t.accounts) a";

    // $1: the first day that is compared.
    private const string Forget = "delete from account_day_seals where day < ($1 at time zone 'UTC')::date";

    // $1, $2: from when, until when.
    private static readonly string s_seal = $"""
        insert into account_day_seals as s (account, day, amount_nano, entries)
        select account, day, sum(amount)::bigint, sum(entries)::bigint from ({Counted("at < $2")}) counted group by account, day
        on conflict (account, day) do update set amount_nano = s.amount_nano + excluded.amount_nano, entries = s.entries + excluded.entries
        """;

    /// <summary>Seals the entries from <paramref name="before"/> on until <paramref name="next"/>, but for those of days before <paramref name="from"/>.</summary>
    public static async Task SealAsync(NpgsqlConnection connection, DateTime from, DateTime before, DateTime next, CancellationToken cancellation)
    {
        await LongStatement.RunAsync(connection, Forget, cancellation, from);
        await LongStatement.RunAsync(connection, s_seal, cancellation, before > from ? before : from, next);
    }

    /// <summary>Forgets all seals.</summary>
    public static Task UnsealAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        LongStatement.RunAsync(connection, "delete from account_day_seals", cancellation);

    /// <summary>Compares.</summary>
    /// <param name="from">The first day.</param>
    /// <param name="before">Up to when is sealed.</param>
    /// <param name="differs">Takes, up to a bound, each account and day whose total (the last) is not what its entries come to.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(DateTime from, DateTime before, Action<string, DateOnly, long, long> differs, CancellationToken cancellation)
    {
        var (different, late) = await CompareAsync(from, before, cancellation);
        if (late && before > from)
        {
            // Records that came late are rarely one account's alone: all are added up anew.
            await UnsealAsync(connection, cancellation);
            await LongStatement.RunAsync(connection, s_seal, cancellation, from, before);
            (different, _) = await CompareAsync(from, before, cancellation);
        }

        foreach (var (account, day, booked, spent) in different)
        {
            differs(account, day, booked, spent);
        }
    }

    private async Task<(List<(string Account, DateOnly Day, long Booked, long Spent)> Different, bool Late)> CompareAsync(DateTime from, DateTime before, CancellationToken cancellation)
    {
        await using var command = LongStatement.Of(
            connection,
            $"""
            with counted as (
                select account, day, sum(amount)::bigint as amount, sum(entries)::bigint as entries from ({Counted()}) since group by account, day
                union all select account, day, amount_nano, entries from account_day_seals where day >= $2),
            booked as (select account, day, sum(amount)::bigint as amount, sum(entries)::bigint as entries from counted group by account, day)
            select coalesce(b.account, d.account), coalesce(b.day, d.day), coalesce(b.amount, 0), coalesce(d.spent_nano, 0), coalesce(b.entries, 0) <> coalesce(d.entries, 0)
            from booked b full join (select * from account_days where day >= $2) d on d.account = b.account and d.day = b.day
            where (coalesce(b.amount, 0), coalesce(b.entries, 0)) <> (coalesce(d.spent_nano, 0), coalesce(d.entries, 0))
            """,
            before > from ? before : from, DateOnly.FromDateTime(from));
        var (different, late) = (new List<(string, DateOnly, long, long)>(), false);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var (booked, spent) = (reader.GetInt64(2), reader.GetInt64(3));
            late |= reader.GetBoolean(4);
            if (booked != spent && different.Count < DifferencesMax)
            {
                different.Add((reader.GetString(0), reader.GetFieldValue<DateOnly>(1), booked, spent));
            }
        }

        return (different, late);
    }
}
