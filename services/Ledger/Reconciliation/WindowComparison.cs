using Gateway.Ledger.Journal;
using Npgsql;

namespace Gateway.Ledger.Reconciliation;

/// <summary>A window's total, as Redis should have it.</summary>
internal readonly record struct WindowTotals(string Id, long Spent, long Version);

/// <summary>What the comparison of windows came to.</summary>
/// <param name="Compared">Windows that were compared with the journal.</param>
/// <param name="ForRedis">Those that Redis is to be asked about: touched lately, and up to a bound the idle ones.</param>
/// <param name="NotForRedis">Idle ones beyond that bound.</param>
internal sealed record ComparedWindows(int Compared, List<WindowTotals> ForRedis, int NotForRedis);

/// <summary>
/// Every window's total against the journal's entries in it, in the snapshot of one transaction (<see cref="Seals"/>): a window that never
/// starts again would need the journal from its first entry on.
/// </summary>
internal sealed class WindowComparison(NpgsqlConnection connection)
{
    /// <summary>Idle windows that Redis is asked about in one comparison.</summary>
    public const int IdleInRedisMax = 10_000;

    // $1: the instant.
    private static readonly string s_sealAll = $"""
        with counted as ({Counted("'-infinity'::timestamptz")})
        {Seal} {SealAnew}
        """;

    // $2: the windows. Looked up by their hash after the terms' windows are spread, and not before they began: a condition on the lists of
    // windows has no index, and tries each of its many in each of the terms. An entry may be a little older than its window: the request began before.
    private static readonly string s_sealThese = $"""
        with counted as (
            select c.* from ({Counted("(select coalesce(min(coalesce(starts_at, '-infinity')), '-infinity') - interval '2 days' from windows where window_id = any($2))")}) c
            where c.id in (select unnest($2::text[])))
        {Seal} where w.window_id in (select unnest($2::text[])) {SealAnew}
        """;

    private const string Seal = """
        insert into window_seals as s (window_id, amount_nano, entries)
        select w.window_id, coalesce(b.amount, 0) + w.archived_nano, w.entries - coalesce(b.since, 0)
        from windows w left join (
            select id, (sum(amount) filter (where before))::bigint as amount, (sum(entries) filter (where not before))::bigint as since from counted group by id) b on b.id = w.window_id
        """;

    private const string SealAnew = """
        on conflict (window_id) do update set amount_nano = excluded.amount_nano, entries = excluded.entries
        where (s.amount_nano, s.entries) <> (excluded.amount_nano, excluded.entries)
        """;

    /// <summary>Seals the entries from <paramref name="before"/> on until <paramref name="next"/>.</summary>
    public static Task SealAsync(NpgsqlConnection connection, DateTime before, DateTime next, CancellationToken cancellation) => LongStatement.RunAsync(
        connection,
        $"""
        insert into window_seals as s (window_id, amount_nano, entries)
        select id, sum(counted.amount)::bigint, sum(counted.entries)::bigint from ({Counted("$1", "at < $2")}) counted join windows w on w.window_id = counted.id group by id
        on conflict (window_id) do update set amount_nano = s.amount_nano + excluded.amount_nano, entries = s.entries + excluded.entries
        """,
        cancellation, before, next);

    /// <summary>Seals every window anew, from its first entry on.</summary>
    public static Task SealAllAsync(NpgsqlConnection connection, DateTime before, CancellationToken cancellation) => LongStatement.RunAsync(connection, s_sealAll, cancellation, before);

    /// <summary>Compares.</summary>
    /// <param name="from">A window that was touched since then is compared, also when it is over.</param>
    /// <param name="before">Up to when is sealed.</param>
    /// <param name="full">Whether those are compared, too, that are over and that nothing touched.</param>
    /// <param name="differs">Takes each window whose total (the last) is not what its entries come to.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<ComparedWindows> RunAsync(DateTime from, DateTime before, bool full, Action<string, long, long> differs, CancellationToken cancellation)
    {
        var (windows, different, late) = await CompareAsync(before, from, full, cancellation);
        if (late.Count > 0)
        {
            await LongStatement.RunAsync(connection, s_sealThese, cancellation, before, late.ToArray());
            (windows, different, _) = await CompareAsync(before, from, full, cancellation);
        }

        foreach (var (id, booked, spent) in different)
        {
            differs(id, booked, spent);
        }

        return windows;
    }

    private async Task<(ComparedWindows Windows, List<(string Id, long Booked, long Spent)> Different, List<string> Late)> CompareAsync(
        DateTime before, DateTime from, bool full, CancellationToken cancellation)
    {
        await using var command = LongStatement.Of(
            connection,
            $"""
            with since as (select id, sum(amount)::bigint as amount, sum(entries)::bigint as entries from ({Counted("$1")}) counted group by id)
            select w.window_id, w.spent_nano, w.version, coalesce(s.amount_nano, 0) + coalesce(b.amount, 0), w.entries <> coalesce(s.entries, 0) + coalesce(b.entries, 0), w.touched_at >= $2
            from windows w left join since b on b.id = w.window_id left join window_seals s on s.window_id = w.window_id
            where $3 or w.touched_at >= $2 or coalesce(w.ends_at, 'infinity') > now()
            """,
            before, from, full);
        var (compared, idle, forRedis) = (0, 0, new List<WindowTotals>());
        var (different, late) = (new List<(string, long, long)>(), new List<string>());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var (id, spent, booked) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(3));
            compared++;
            if (reader.GetBoolean(4))
            {
                late.Add(id);
            }
            else if (spent != booked)
            {
                different.Add((id, booked, spent));
            }

            if (reader.GetBoolean(5) || full || idle++ < IdleInRedisMax)
            {
                forRedis.Add(new(id, spent, reader.GetInt64(2)));
            }
        }

        return (new(compared, forRedis, Math.Max(0, idle - IdleInRedisMax)), different, late);
    }

    // What entries from an instant on count in windows: a row for each window, day and terms that it stands in, before $1 and since.
    private static string Counted(string from, string which = "true") =>
        $"select w as id, e.before, e.amount, e.entries {JournalSql.AddedUp($"at >= {from} and {which}", apart: "at < $1 as before")}, unnest(t.windows) w";
}
