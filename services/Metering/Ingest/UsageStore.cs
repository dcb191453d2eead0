using System.Diagnostics;
using Gateway.Contracts;
using Gateway.Metering.Partitions;
using Npgsql;

namespace Gateway.Metering.Ingest;

/// <summary>What became of a batch: rows that are new, and rows that were there already.</summary>
internal readonly record struct StoredBatch(long Stored, long Duplicates);

/// <summary>
/// Writes a batch in one transaction. The roll-ups count the rows that were really inserted: a record that comes a second time changes
/// nothing, in whatever company it comes. Many records are copied in, which costs PostgreSQL a third less and takes none that it knows;
/// where it knows one, and for a few, a statement inserts them and skips what is there.
/// </summary>
internal sealed class UsageStore(NpgsqlDataSource database, Names names, DayPartitions partitions, MeteringMetrics metrics, TimeProvider clock)
{
    /// <summary>From so many records on a copy's round trips and parsing are worth it.</summary>
    public const int CopiedMin = 32;

    /// <summary>A batch can meet this once for each day that is being made.</summary>
    private const int DaysMadeMeanwhileMax = 10;

    /// <summary>
    /// Every insert is ordered by its unique key, and the statement's parts run in one order: two processes that write the same requests or
    /// the same roll-ups at once take their locks in the same sequence, so one waits and none deadlocks.
    /// </summary>
    private static readonly string s_insert = $"""
        with stored as (
            insert into usage_records ({UsageRows.Table.Names})
            select {UsageRows.Table.Expressions} from {UsageRows.Table.Unnest} order by started_at, request_id
            on conflict do nothing
            returning (started_at at time zone 'UTC')::date as day, key_no, alias_no, user_no, team_no, organization_no, end_user_no, model_no,
                provider_no, provider_model_no, tags_no, 1 as requests, (outcome <> 0 or status >= 400)::int as failed, cost,
                input + coalesce(cached_input, 0) + coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) + coalesce(input_audio, 0) as prompt,
                output + coalesce(reasoning, 0) + coalesce(output_audio, 0) as completion,
                coalesce(cached_input, 0) as cached, coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) as cache_write,
                coalesce(reasoning, 0) as reasoning, duration_us, estimated::int as estimated, unpriced::int as unpriced
        {RollUps}
        """;

    private static readonly string s_sumUp = $"""
        with stored as (
            select *, tags::int[] as tags_no from {UsageSums.Unnest}
        {RollUps}
        """;

    private const string RollUps = """
        ), daily as (
            insert into usage_daily as d (day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                requests, failed, cost, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, duration_us, estimated, unpriced)
            select day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                sum(requests), sum(failed), sum(cost), sum(prompt), sum(completion), sum(cached), sum(cache_write), sum(reasoning), sum(duration_us),
                sum(estimated), sum(unpriced)
            from stored group by 1, 2, 3, 4, 5, 6, 7, 8, 9
            order by day, key_no, model_no, provider_no, provider_model_no, user_no, team_no, organization_no, alias_no
            on conflict (day, key_no, model_no, provider_no, provider_model_no, user_no, team_no, organization_no, alias_no) do update set
                requests = d.requests + excluded.requests, failed = d.failed + excluded.failed, cost = d.cost + excluded.cost,
                prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens,
                cached_tokens = d.cached_tokens + excluded.cached_tokens, cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
                reasoning_tokens = d.reasoning_tokens + excluded.reasoning_tokens, duration_us = d.duration_us + excluded.duration_us,
                estimated = d.estimated + excluded.estimated, unpriced = d.unpriced + excluded.unpriced
        ), tags as (
            insert into usage_daily_tags as d (day, tag_no, key_no, user_no, team_no, organization_no, requests, cost, tokens)
            select day, tag_no, key_no, user_no, team_no, organization_no, sum(requests), sum(cost), sum(prompt + completion)
            from stored cross join lateral unnest(tags_no) as t(tag_no) group by 1, 2, 3, 4, 5, 6
            order by 1, 2, 3, 4, 5, 6
            on conflict (day, tag_no, key_no, user_no, team_no, organization_no) do update set
                requests = d.requests + excluded.requests, cost = d.cost + excluded.cost, tokens = d.tokens + excluded.tokens
        ), end_users as (
            insert into usage_daily_end_users as d (day, end_user_no, key_no, user_no, team_no, organization_no, requests, cost, tokens)
            select day, end_user_no, key_no, user_no, team_no, organization_no, sum(requests), sum(cost), sum(prompt + completion)
            from stored where end_user_no <> 0 group by 1, 2, 3, 4, 5, 6
            order by 1, 2, 3, 4, 5, 6
            on conflict (day, end_user_no, key_no, user_no, team_no, organization_no) do update set
                requests = d.requests + excluded.requests, cost = d.cost + excluded.cost, tokens = d.tokens + excluded.tokens
        )
        select coalesce(sum(requests), 0)::bigint from stored
        """;

    public async Task<StoredBatch> WriteAsync(IReadOnlyList<UsageRecord> records, CancellationToken cancellation)
    {
        if (records.Count == 0)
        {
            return default;
        }

        var began = Stopwatch.GetTimestamp();
        var needs = UsageRows.From(records);
        await partitions.EnsureAsync(needs.Days, cancellation);
        var rows = needs.Numbered(records, await names.NumbersAsync(needs.Names, cancellation));

        await using var connection = await database.OpenConnectionAsync(cancellation);
        var stored = records.Count >= CopiedMin && await TryCopyAsync(connection, rows, cancellation)
            ? records.Count
            : await InsertAsync(connection, rows, cancellation);
        metrics.Stored(stored, records.Count - stored, Stopwatch.GetElapsedTime(began), clock.GetUtcNow() - needs.NewestEnd);
        return new StoredBatch(stored, records.Count - stored);
    }

    // False where PostgreSQL has one of them (a message came again), or made a day meanwhile: then nothing was written.
    private static async Task<bool> TryCopyAsync(NpgsqlConnection connection, NumberedRecord[] rows, CancellationToken cancellation)
    {
        try
        {
            var sums = UsageSums.Of(rows);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            var ordered = rows.OrderBy(static row => row.Record.StartedAt.UtcTicks / TimeSpan.TicksPerMicrosecond).ThenBy(static row => row.Record.RequestId);
            await UsageRows.Table.CopyAsync(connection, "usage_records", ordered, cancellation);
            await using var command = await CommandAsync(connection, s_sumUp, sums.Parameters(), cancellation);
            await command.ExecuteNonQueryAsync(cancellation);
            await transaction.CommitAsync(cancellation);
            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.CheckViolation)
        {
            return false;
        }
        catch (OverflowException)
        {
            // The statement says which of them no sum can hold.
            return false;
        }
    }

    private static async Task<long> InsertAsync(NpgsqlConnection connection, NumberedRecord[] rows, CancellationToken cancellation)
    {
        await using var command = await CommandAsync(connection, s_insert, UsageRows.Table.Parameters(rows), cancellation);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return (long)(await command.ExecuteScalarAsync(cancellation))!;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.CheckViolation && attempt < DaysMadeMeanwhileMax)
            {
                // The row's day was made after PostgreSQL had chosen the partition for everything else. Nothing was written: again, into the day.
            }
        }
    }

    // Prepared once for each pooled connection: planning these statements costs more than running them for a small batch.
    private static async Task<NpgsqlCommand> CommandAsync(NpgsqlConnection connection, string sql, IEnumerable<NpgsqlParameter> parameters, CancellationToken cancellation)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        await command.PrepareAsync(cancellation);
        return command;
    }
}
