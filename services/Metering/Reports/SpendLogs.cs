using Gateway.Contracts;
using Gateway.Metering.Partitions;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>A page of single requests.</summary>
internal sealed record SpendLogPage(IReadOnlyList<SpendLog> Data, long Total, int Page, int PageSize, long TotalPages, bool TotalIsCapped);

/// <summary><c>/spend/logs</c>: single requests, newest first.</summary>
internal sealed class SpendLogs(ReportDatabase database, KeyLookup keys, DailySummary summary, DayPartitions partitions)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/spend/logs", static (HttpContext http, SpendLogs logs) => logs.List(http));
        routes.MapGet("/spend/logs/v2", static (HttpContext http, SpendLogs logs) => logs.Page(http));
        routes.MapGet("/spend/logs/ui", static (HttpContext http, SpendLogs logs) => logs.Page(http));
    }

    /// <summary>LiteLLM's array. With both dates it is a summary by day, unless <c>summarize=false</c>, as there.</summary>
    private async Task<IResult> List(HttpContext http)
    {
        var (filter, refusal) = await ReadAsync(http);
        if (refusal is not null)
        {
            return refusal;
        }

        var visibility = Visibility.Of(CallerIdentity.From(http)!);
        var summarize = !string.Equals(http.Request.Query["summarize"], "false", StringComparison.OrdinalIgnoreCase);
        if (summarize && filter is { From: not null, Until: not null, RequestId: null })
        {
            return await summary.AnswerAsync(filter, visibility, http.RequestAborted);
        }

        return TypedResults.Json(await RowsAsync(filter, visibility, http.RequestAborted), ReportsJson.Default.ListSpendLog);
    }

    private async Task<IResult> Page(HttpContext http)
    {
        var (filter, refusal) = await ReadAsync(http);
        if (refusal is not null)
        {
            return refusal;
        }

        var visibility = Visibility.Of(CallerIdentity.From(http)!);
        var rows = await RowsAsync(filter, visibility, http.RequestAborted);
        var (total, capped) = await CountAsync(filter, visibility, http.RequestAborted);
        return TypedResults.Json(
            new SpendLogPage(rows, total, filter.Page, filter.PageSize, (total + filter.PageSize - 1) / filter.PageSize, capped), ReportsJson.Default.SpendLogPage);
    }

    private async Task<(ReportFilter Filter, IResult? Refusal)> ReadAsync(HttpContext http)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        return refusal is null ? await keys.ResolveAsync(filter, http.RequestAborted) : (filter, refusal);
    }

    private async Task<List<SpendLog>> RowsAsync(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        if (filter.RequestId is null)
        {
            var where = filter.OnRecords(visibility);
            return await ReadAsync(where, filter, cancellation);
        }

        if (!Guid.TryParse(filter.RequestId, out var id))
        {
            return [];
        }

        if (ReportFilter.TimeOf(id) is { } time)
        {
            var near = await ReadAsync(
                filter.OnRecords(visibility).And("request_id = ?", id).And("started_at >= ?", time.From).And("started_at <= ?", time.Until), filter, cancellation);
            if (near.Count > 0)
            {
                return near;
            }
        }

        return await ReadAsync(filter.OnRecords(visibility).And("request_id = ?", id), filter, cancellation);
    }

    /// <summary>One page. Internal, so that a test can look at PostgreSQL's plan for it.</summary>
    internal static string PageSql(Where where, ReportFilter filter) => SpendLog.Select($"""
        select * from usage_records {where} order by started_at desc, request_id desc
        limit {where.Value((long)filter.PageSize)} offset {where.Value((long)(filter.Page - 1) * filter.PageSize)}
        """);

    private Task<List<SpendLog>> ReadAsync(Where where, ReportFilter filter, CancellationToken cancellation) =>
        database.QueryAsync(PageSql(where, filter), where, SpendLog.Read, cancellation);

    private async Task<(long Total, bool Capped)> CountAsync(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        if (filter.RequestId is not null)
        {
            return ((await RowsAsync(filter, visibility, cancellation)).Count, false);
        }

        if (filter.CountFitsRollups)
        {
            // The roll-ups know the number. They also know days whose rows are gone, which must not be counted as pages.
            var daily = filter.OnDaily(visibility).And("day >= ?", partitions.FirstKept);
            var asked = filter.Succeeded switch { null => "requests", true => "requests - failed", false => "failed" };
            return (await OneAsync($"select coalesce(sum({asked}), 0)::bigint from usage_daily {daily}", daily, cancellation), false);
        }

        // Counting everything would read everything: as far as pages can be turned is enough.
        var where = filter.OnRecords(visibility);
        var counted = await OneAsync(
            $"select count(*) from (select from usage_records {where} limit {where.Value((long)ReportFilter.RowsMax + 1)}) r", where, cancellation);
        return (Math.Min(counted, ReportFilter.RowsMax), counted > ReportFilter.RowsMax);
    }

    private async Task<long> OneAsync(string sql, Where where, CancellationToken cancellation) =>
        (await database.QueryAsync(sql, where, static reader => reader.GetInt64(0), cancellation))[0];
}
