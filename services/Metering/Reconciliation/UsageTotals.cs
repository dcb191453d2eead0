using Gateway.Metering.Reports;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Reconciliation;

/// <summary>What the rows of a range add up to.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Cost">Their cost in whole nano-dollars.</param>
internal sealed record RowTotals(long Rows, long Cost);

/// <summary>The same for one day (UTC).</summary>
internal sealed record DayTotals(DateOnly Day, long Rows, long Cost);

/// <summary>The same for one budget window. A row that was charged to three windows counts in three.</summary>
internal sealed record WindowTotals(string WindowId, long Rows, long Cost);

/// <summary>
/// <c>/internal/usage/totals?from=&amp;to=</c>: Ledger compares it with its journal. It reads the rows and not the roll-ups, so that the comparison
/// shows an error in either.
/// </summary>
internal static class UsageTotals
{
    public static WebApplication MapReconciliation(this WebApplication app)
    {
        var usage = app.MapGroup("/internal/usage").WithTags("Internal").RequireService().AddEndpointFilter(ReportRoutes.DatabaseAwayAsync);
        usage.MapGet("/totals", Answer);
        usage.MapGet("/rows", UsageForLedger.RowsAsync);
        usage.MapGet("/daily", UsageForLedger.DailyAsync);
        return app;
    }

    private static async Task<IResult> Answer(DateTimeOffset? from, DateTimeOffset? to, string? by, ReportDatabase database, CancellationToken cancellation)
    {
        var where = new Where();
        if (from is { } first)
        {
            where.And("started_at >= ?", first.UtcDateTime);
        }

        if (to is { } end)
        {
            where.And("started_at < ?", end.UtcDateTime);
        }

        if (by is null)
        {
            var totals = await database.QueryAsync(
                $"select count(*), coalesce(sum(cost), 0)::bigint from usage_records {where}",
                where, static reader => new RowTotals(reader.GetInt64(0), reader.GetInt64(1)), cancellation);
            return TypedResults.Json(totals[0], TotalsJson.Default.RowTotals);
        }

        if (by == "day")
        {
            var days = await database.QueryAsync(
                $"select (started_at at time zone 'UTC')::date, count(*), coalesce(sum(cost), 0)::bigint from usage_records {where} group by 1 order by 1",
                where, static reader => new DayTotals(reader.GetFieldValue<DateOnly>(0), reader.GetInt64(1), reader.GetInt64(2)), cancellation);
            return TypedResults.Json(days, TotalsJson.Default.ListDayTotals);
        }

        if (by != "budget_window")
        {
            return Problems.Result(422, "invalid_request", "by must be day or budget_window.", "by");
        }

        var windows = await database.QueryAsync(
            $"""
            select n.name, s.rows, s.cost from (
                select w.no, count(*) as rows, sum(cost)::bigint as cost
                from usage_records cross join lateral unnest(windows_no) as w(no) {where} group by w.no) s
            join names n using (no) order by n.name
            """,
            where, static reader => new WindowTotals(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2)), cancellation);
        return TypedResults.Json(windows, TotalsJson.Default.ListWindowTotals);
    }
}
