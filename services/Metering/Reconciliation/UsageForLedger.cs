using Gateway.Contracts;
using Gateway.Metering.Reports;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Reconciliation;

/// <summary>
/// What Ledger asks for: the rows of a period, page by page, to price them anew; and a provider's usage by day and model, to compare it with
/// the provider's own.
/// </summary>
internal static class UsageForLedger
{
    private const int RowsMax = 5_000;

    /// <summary>
    /// <c>/internal/usage/rows?from=&amp;to=&amp;provider=&amp;model=&amp;after=&amp;limit=</c>: rows that a provider answered, by time and id; <c>after</c> is the last
    /// id of the page before, whose instant is then <c>from</c>.
    /// </summary>
    public static async Task<IResult> RowsAsync(
        DateTimeOffset from, DateTimeOffset to, string? provider, string? model, Guid? after, int? limit, ReportDatabase database, CancellationToken cancellation)
    {
        var where = new Where().And("r.started_at >= ?", from.UtcDateTime).And("r.started_at < ?", to.UtcDateTime).And($"r.outcome <> {(int)UsageOutcome.Failed}");
        if (after is { } last)
        {
            where.And($"(r.started_at, r.request_id) > ({where.Value(from.UtcDateTime)}, ?)", last);
        }

        Narrow(where, provider, model);
        var most = where.Value((long)Math.Clamp(limit ?? 1_000, 1, RowsMax));
        var rows = await database.QueryAsync(
            $"""
            select r.request_id, r.started_at, p.name, pm.name, r.input, coalesce(r.cached_input, 0), coalesce(r.cache_write_5m, 0), coalesce(r.cache_write_1h, 0),
                coalesce(r.input_audio, 0), r.output, coalesce(r.reasoning, 0), coalesce(r.output_audio, 0), coalesce(r.images, 0), price.name, r.outcome, call.name
            from usage_records r join names p on p.no = r.provider_no join names pm on pm.no = r.provider_model_no join names price on price.no = r.price_no
                join names call on call.no = r.call_type_no
            {where} order by r.started_at, r.request_id limit {most}
            """,
            where,
            static row => new UsageToPrice(
                row.GetGuid(0), new(row.GetDateTime(1)), row.GetString(2), row.GetString(3),
                new TokenUsage
                {
                    Input = row.GetInt64(4), CachedInput = row.GetInt64(5), CacheWrite5m = row.GetInt64(6), CacheWrite1h = row.GetInt64(7), InputAudio = row.GetInt64(8),
                    Output = row.GetInt64(9), Reasoning = row.GetInt64(10), OutputAudio = row.GetInt64(11), Images = row.GetInt64(12),
                },
                ReportDatabase.NameOrNull(row, 13), (UsageOutcome)row.GetInt16(14), row.GetString(15)),
            cancellation);
        return TypedResults.Json(rows, MeteringJson.Default.ListUsageToPrice);
    }

    /// <summary><c>/internal/usage/daily?provider=&amp;from=&amp;to=</c>: days in UTC, both included.</summary>
    public static async Task<IResult> DailyAsync(string provider, DateOnly from, DateOnly to, ReportDatabase database, CancellationToken cancellation)
    {
        var where = new Where().And("d.day >= ?", from).And("d.day <= ?", to).AndName("d.provider_no", provider);
        var days = await database.QueryAsync(
            $"""
            select d.day, m.name, sum(d.requests)::bigint, sum(d.prompt_tokens)::bigint, sum(d.cached_tokens)::bigint, sum(d.cache_write_tokens)::bigint,
                sum(d.completion_tokens)::bigint, sum(d.cost)::bigint
            from usage_daily d join names m on m.no = d.provider_model_no {where} group by 1, 2 order by 1, 2
            """,
            where,
            static row => new DailyUsage(
                row.GetFieldValue<DateOnly>(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), new(row.GetInt64(7))),
            cancellation);
        return TypedResults.Json(days, MeteringJson.Default.ListDailyUsage);
    }

    private static void Narrow(Where where, string? provider, string? model)
    {
        if (provider is not null)
        {
            where.AndName("r.provider_no", provider);
        }

        if (model is not null)
        {
            where.AndName("r.provider_model_no", model);
        }
    }
}
