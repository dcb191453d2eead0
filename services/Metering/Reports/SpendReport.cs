using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

/// <param name="Model">The public model name.</param>
/// <param name="ApiKey">The key's id.</param>
internal sealed record ReportDetail(string Model, string ApiKey, decimal Spend, long TotalTokens, long ApiRequests);

internal sealed record ReportGroup(string Name, decimal TotalSpend, IReadOnlyList<ReportDetail> Metadata);

internal sealed record ReportDay(DateOnly GroupByDay, IReadOnlyList<ReportGroup> Groups);

/// <summary><c>/global/spend/report</c>: who spent what with which model, by day: what finance asks for. <c>group_by</c> is team, customer, api_key, internal_user_id or organization.</summary>
internal sealed class SpendReport(ReportDatabase database, KeyLookup keys)
{
    private const int DaysMax = 366;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/global/spend/report", static (HttpContext http, SpendReport report) => report.Answer(http));

    private async Task<IResult> Answer(HttpContext http)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        if (refusal is null)
        {
            (filter, refusal) = await keys.ResolveAsync(filter, http.RequestAborted);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        if (filter.FirstDay is not { } first || filter.LastDay is not { } last || last.DayNumber - first.DayNumber >= DaysMax)
        {
            return Problems.Result(422, "invalid_request", $"Give start_date and end_date, at most {DaysMax} days apart.", "start_date");
        }

        var groupBy = http.Request.Query["group_by"] is [{ Length: > 0 } given] ? given : "team";
        var column = groupBy switch
        {
            "team" => "team_no",
            "customer" => "end_user_no",
            "api_key" => "key_no",
            "internal_user_id" => "user_no",
            "organization" => "organization_no",
            _ => null,
        };
        if (column is null)
        {
            return Problems.Result(422, "invalid_request", "group_by must be one of team, customer, api_key, internal_user_id, organization.", "group_by");
        }

        // End users have a roll-up of their own, without models: one detail for each key.
        var customers = column == "end_user_no";
        var where = customers ? filter.OnDays(Visibility.All) : filter.OnDaily(Visibility.All);
        var (table, tokens, model) = customers
            ? ("usage_daily_end_users", "tokens", "0")
            : ("usage_daily", "prompt_tokens + completion_tokens", "model_no");
        var rows = await database.QueryAsync(
            $"""
            select s.day, owner.name, model.name, key.name, s.cost, s.tokens, s.requests from (
                select day, {column} as owner_no, {model} as model_no, key_no, sum(cost) as cost, sum({tokens})::bigint as tokens, sum(requests)::bigint as requests
                from {table} {where} group by 1, 2, 3, 4
                order by 1, 2, 5 desc limit {where.Value((long)ReportFilter.RowsMax)}) s
            join names owner on owner.no = s.owner_no join names model on model.no = s.model_no join names key on key.no = s.key_no
            order by s.day, owner.name, s.cost desc, key.name, model.name
            """,
            where,
            static reader => (
                Day: reader.GetFieldValue<DateOnly>(0), Owner: reader.GetString(1),
                Detail: new ReportDetail(reader.GetString(2), reader.GetString(3), ReportDatabase.Dollars(reader, 4), reader.GetInt64(5), reader.GetInt64(6))),
            http.RequestAborted);

        var days = rows.GroupBy(row => row.Day).Select(day => new ReportDay(
            day.Key,
            [.. day.GroupBy(row => row.Owner, StringComparer.Ordinal)
                .Select(owner => new ReportGroup(owner.Key, owner.Sum(row => row.Detail.Spend), [.. owner.Select(row => row.Detail)]))])).ToList();
        return TypedResults.Json(SpendReportShape.ToJson(days, groupBy), ReportsJson.Default.JsonArray);
    }
}
