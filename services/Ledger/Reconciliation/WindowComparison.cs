using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Reconciliation;

/// <summary>A window's total, as Redis should have it.</summary>
internal readonly record struct WindowTotals(string Id, long Spent, long Version);

/// <summary>What the comparison of windows came to.</summary>
/// <param name="Compared">Windows that were compared with the journal.</param>
/// <param name="ForRedis">Those that Redis is to be asked about: touched lately, and up to a bound the idle ones.</param>
/// <param name="NotForRedis">Idle ones beyond that bound.</param>
internal sealed record ComparedWindows(int Compared, List<WindowTotals> ForRedis, int NotForRedis);

/// <summary>
/// Every window's total against the journal's entries in it, in the snapshot of one transaction. What was added up once is sealed, and not
/// read again by the next comparison: a window that never starts again would need the journal from its first entry on. A record that came
/// late, for a time that is sealed, is noticed by the window's count of entries; that window is then added up anew. So nothing is taken for
/// granted but that nobody changes an entry, which the journal refuses, or the seals: for that there is the full comparison.
/// </summary>
internal sealed class WindowComparison(NpgsqlConnection connection)
{
    /// <summary>Idle windows that Redis is asked about in one comparison.</summary>
    public const int IdleInRedisMax = 10_000;

    /// <summary>The first comparison, and a full one, read the whole journal.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    // What entries count in windows: one row for each entry and window.
    private const string Counted = "select unnest(windows) as id, at, case when reverses then -amount_nano else amount_nano end as amount from journal.entries";

    // $1: the instant; $2: the windows, null for all.
    private const string Seal = $"""
        insert into window_seals as s (window_id, amount_nano, entries)
        select w.window_id, coalesce(b.amount, 0) + w.archived_nano, w.entries - coalesce(b.since, 0)
        from windows w left join (
            select id, (sum(amount) filter (where at < $1))::bigint as amount, count(*) filter (where at >= $1) as since
            from ({Counted} where $2::text[] is null or windows && $2) counted group by id) b on b.id = w.window_id
        where $2::text[] is null or w.window_id = any($2)
        on conflict (window_id) do update set amount_nano = excluded.amount_nano, entries = excluded.entries
        where (s.amount_nano, s.entries) <> (excluded.amount_nano, excluded.entries)
        """;

    /// <summary>Compares, and seals what is older than <paramref name="from"/>.</summary>
    /// <param name="from">Entries since then are added up each time.</param>
    /// <param name="full">Whether every window, also those that are over, is added up from its first entry.</param>
    /// <param name="differs">Takes each window whose total (the last) is not what its entries come to.</param>
    public async Task<ComparedWindows> RunAsync(DateTimeOffset from, bool full, Action<string, long, long> differs, CancellationToken cancellation)
    {
        var before = await AdvanceAsync(from.UtcDateTime, full, cancellation);
        var (windows, different, late) = await CompareAsync(before, from.UtcDateTime, full, cancellation);
        if (late.Count > 0)
        {
            await RunAsync(Seal, cancellation, before, late.ToArray());
            (windows, different, _) = await CompareAsync(before, from.UtcDateTime, full, cancellation);
        }

        foreach (var (id, booked, spent) in different)
        {
            differs(id, booked, spent);
        }

        return windows;
    }

    // Moves the instant on to `from`. Two that compare at once take turns at this row.
    private async Task<DateTime> AdvanceAsync(DateTime from, bool full, CancellationToken cancellation)
    {
        DateTime? sealedBefore;
        await using (var read = new NpgsqlCommand("select nullif(before, '-infinity') from windows_sealed for update", connection) { CommandTimeout = (int)Patience.TotalSeconds })
        {
            sealedBefore = await read.ExecuteScalarAsync(cancellation) as DateTime?;
        }

        if (full || sealedBefore is null)
        {
            await RunAsync(Seal, cancellation, from, DBNull.Value);
        }
        else if (sealedBefore < from)
        {
            await RunAsync(
                $"""
                insert into window_seals as s (window_id, amount_nano, entries)
                select id, sum(amount)::bigint, count(*) from ({Counted} where at >= $1 and at < $2) counted group by id
                on conflict (window_id) do update set amount_nano = s.amount_nano + excluded.amount_nano, entries = s.entries + excluded.entries
                """, cancellation, sealedBefore.Value, from);
        }
        else
        {
            return sealedBefore.Value;
        }

        await RunAsync("update windows_sealed set before = $1", cancellation, from);
        return from;
    }

    private async Task<(ComparedWindows Windows, List<(string Id, long Booked, long Spent)> Different, List<string> Late)> CompareAsync(
        DateTime before, DateTime from, bool full, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            with since as (select id, sum(amount)::bigint as amount, count(*) as entries from ({Counted} where at >= $1) counted group by id)
            select w.window_id, w.spent_nano, w.version, coalesce(s.amount_nano, 0) + coalesce(b.amount, 0), w.entries <> coalesce(s.entries, 0) + coalesce(b.entries, 0), w.touched_at >= $2
            from windows w left join since b on b.id = w.window_id left join window_seals s on s.window_id = w.window_id
            where $3 or w.touched_at >= $2 or coalesce(w.ends_at, 'infinity') > now()
            """, connection)
        {
            CommandTimeout = (int)Patience.TotalSeconds,
        };
        command.Parameters.AddWithValue(before);
        command.Parameters.AddWithValue(from);
        command.Parameters.AddWithValue(full);
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

    private async Task RunAsync(string statement, CancellationToken cancellation, params object[] values)
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = (int)Patience.TotalSeconds };
        foreach (var value in values)
        {
            command.Parameters.Add(value is DBNull ? new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } : new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellation);
    }
}
