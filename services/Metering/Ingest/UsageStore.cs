using System.Diagnostics;
using Gateway.Contracts;
using Gateway.Metering.Partitions;
using Npgsql;

namespace Gateway.Metering.Ingest;

/// <summary>What became of a batch: rows that are new, and rows that were there already.</summary>
internal readonly record struct StoredBatch(long Stored, long Duplicates);

/// <summary>
/// Writes a batch: one statement, so one transaction. The roll-ups count the rows that were really inserted: a record that comes a second
/// time changes nothing, in whatever company it comes.
/// </summary>
internal sealed class UsageStore(NpgsqlDataSource database, Names names, DayPartitions partitions, MeteringMetrics metrics, TimeProvider clock)
{
    /// <summary>A batch can meet this once for each day that is being made.</summary>
    private const int DaysMadeMeanwhileMax = 10;

    /// <summary>
    /// Every insert is ordered by its unique key, and the statement's parts run in one order: two processes that write the same requests or
    /// the same roll-ups at once take their locks in the same sequence, so one waits and none deadlocks.
    /// </summary>
    private const string Write = """
        with batch as (
            select * from unnest(
                $1::timestamptz[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::int[], $16::int[], $17::int[], $18::int[],
                $19::int[], $20::int[], $21::int[], $22::int[], $23::int[], $24::int[], $25::int[], $26::int[], $27::int[], $28::smallint[],
                $29::smallint[], $30::boolean[], $31::boolean[], $32::boolean[], $33::text[], $34::text[], $35::text[], $36::int[], $37::uuid[], $38::bigint[])
            as t(started_at, request_id, duration_us, first_byte_us, cost, input, output, cached_input, cache_write_5m,
                cache_write_1h, input_audio, reasoning, output_audio, images, key_no, alias_no, user_no, team_no,
                organization_no, end_user_no, model_no, deployment_no, provider_no, provider_model_no, call_type_no, edge_no, price_no, status,
                outcome, streamed, estimated, unpriced, tags, windows, attempts, credential_no, corrects, written_off)
        ), stored as (
            insert into usage_records (started_at, request_id, duration_us, first_byte_us, cost, input, output, cached_input, cache_write_5m,
                cache_write_1h, input_audio, reasoning, output_audio, images, key_no, alias_no, user_no, team_no,
                organization_no, end_user_no, model_no, deployment_no, provider_no, provider_model_no, call_type_no, edge_no, price_no, status,
                outcome, streamed, estimated, unpriced, tags_no, windows_no, failed_attempts, credential_no, corrects, written_off)
            select started_at, request_id, duration_us, first_byte_us, cost, input, output, cached_input, cache_write_5m,
                cache_write_1h, input_audio, reasoning, output_audio, images, key_no, alias_no, user_no, team_no,
                organization_no, end_user_no, model_no, deployment_no, provider_no, provider_model_no, call_type_no, edge_no, price_no, status,
                outcome, streamed, estimated, unpriced, tags::int[], windows::int[], attempts::jsonb, credential_no, corrects, written_off
            from batch order by started_at, request_id
            on conflict do nothing
            returning (started_at at time zone 'UTC')::date as day, key_no, alias_no, user_no, team_no, organization_no, end_user_no, model_no,
                provider_no, provider_model_no, cost, duration_us, outcome, status, estimated, unpriced, tags_no,
                input + coalesce(cached_input, 0) + coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) + coalesce(input_audio, 0) as prompt,
                output + coalesce(reasoning, 0) + coalesce(output_audio, 0) as completion,
                coalesce(cached_input, 0) as cached, coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) as cache_write,
                coalesce(reasoning, 0) as reasoning
        ), daily as (
            insert into usage_daily as d (day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                requests, failed, cost, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, duration_us, estimated, unpriced)
            select day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                count(*), count(*) filter (where outcome <> 0 or status >= 400), sum(cost), sum(prompt), sum(completion), sum(cached), sum(cache_write),
                sum(reasoning), sum(duration_us), count(*) filter (where estimated), count(*) filter (where unpriced)
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
            select day, tag_no, key_no, user_no, team_no, organization_no, count(*), sum(cost), sum(prompt + completion)
            from stored cross join lateral unnest(tags_no) as t(tag_no) group by 1, 2, 3, 4, 5, 6
            order by 1, 2, 3, 4, 5, 6
            on conflict (day, tag_no, key_no, user_no, team_no, organization_no) do update set
                requests = d.requests + excluded.requests, cost = d.cost + excluded.cost, tokens = d.tokens + excluded.tokens
        ), end_users as (
            insert into usage_daily_end_users as d (day, end_user_no, key_no, user_no, team_no, organization_no, requests, cost, tokens)
            select day, end_user_no, key_no, user_no, team_no, organization_no, count(*), sum(cost), sum(prompt + completion)
            from stored where end_user_no <> 0 group by 1, 2, 3, 4, 5, 6
            order by 1, 2, 3, 4, 5, 6
            on conflict (day, end_user_no, key_no, user_no, team_no, organization_no) do update set
                requests = d.requests + excluded.requests, cost = d.cost + excluded.cost, tokens = d.tokens + excluded.tokens
        )
        select count(*) from stored
        """;

    public async Task<StoredBatch> WriteAsync(IReadOnlyList<UsageRecord> records, CancellationToken cancellation)
    {
        if (records.Count == 0)
        {
            return default;
        }

        var began = Stopwatch.GetTimestamp();
        var rows = UsageRows.From(records);
        await partitions.EnsureAsync(rows.Days, cancellation);
        var numbers = await names.NumbersAsync(rows.Names, cancellation);

        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(Write, connection);
        foreach (var parameter in rows.Parameters(numbers))
        {
            command.Parameters.Add(parameter);
        }

        // Prepared once for each pooled connection: planning this statement costs more than running it for a small batch.
        await command.PrepareAsync(cancellation);
        var stored = await InsertAsync(command, cancellation);
        metrics.Stored(stored, records.Count - stored, Stopwatch.GetElapsedTime(began), clock.GetUtcNow() - rows.NewestEnd);
        return new StoredBatch(stored, records.Count - stored);
    }

    private static async Task<long> InsertAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
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
}
