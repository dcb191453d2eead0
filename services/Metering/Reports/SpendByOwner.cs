using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

/// <summary>Spend of one key since ever, or between dates.</summary>
internal sealed record KeySpend(string Token, string? KeyAlias, string? UserId, string? TeamId, decimal Spend, long TotalTokens, long ApiRequests);

/// <summary>Spend of one user.</summary>
internal sealed record UserSpend(string UserId, decimal Spend, long TotalTokens, long ApiRequests);

/// <summary>Spend under one tag. A request with two tags counts under both.</summary>
internal sealed record TagSpend(string IndividualRequestTag, long LogCount, decimal TotalSpend, long TotalTokens);

/// <summary><c>/spend/keys</c>, <c>/spend/users</c>, <c>/spend/tags</c>: what was spent by whom, largest first.</summary>
internal sealed class SpendByOwner(ReportDatabase database, KeyLookup keys)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/spend/keys", static (HttpContext http, SpendByOwner report) => report.Answer(http, report.Keys));
        routes.MapGet("/spend/users", static (HttpContext http, SpendByOwner report) => report.Answer(http, report.Users));
        routes.MapGet("/spend/tags", static (HttpContext http, SpendByOwner report) => report.Answer(http, report.Tags));
    }

    private async Task<IResult> Answer(HttpContext http, Func<ReportFilter, Visibility, CancellationToken, Task<IResult>> report)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        if (refusal is null)
        {
            (filter, refusal) = await keys.ResolveAsync(filter, http.RequestAborted);
        }

        return refusal ?? await report(filter, Visibility.Of(CallerIdentity.From(http)!), http.RequestAborted);
    }

    private async Task<IResult> Keys(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        // A key that changed its owner or its alias has several rows; it is one key, shown as it was last.
        var where = filter.OnDaily(visibility);
        var rows = await database.QueryAsync(
            $"""
            select key.name, alias.name, usr.name, team.name, s.cost, s.tokens, s.requests from (
                select key_no, (array_agg(alias_no order by day desc))[1] as alias_no, (array_agg(user_no order by day desc))[1] as user_no,
                    (array_agg(team_no order by day desc))[1] as team_no,
                    sum(cost) as cost, sum(prompt_tokens + completion_tokens)::bigint as tokens, sum(requests)::bigint as requests
                from usage_daily {where} group by key_no
                order by 5 desc, 1 limit {where.Value((long)filter.PageSize)} offset {Offset(where, filter)}) s
            join names key on key.no = s.key_no join names alias on alias.no = s.alias_no
            join names usr on usr.no = s.user_no join names team on team.no = s.team_no
            order by s.cost desc, s.key_no
            """,
            where,
            static reader => new KeySpend(
                reader.GetString(0), ReportDatabase.NameOrNull(reader, 1), ReportDatabase.NameOrNull(reader, 2), ReportDatabase.NameOrNull(reader, 3),
                ReportDatabase.Dollars(reader, 4), reader.GetInt64(5), reader.GetInt64(6)),
            cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListKeySpend);
    }

    private async Task<IResult> Users(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        var where = filter.OnDaily(visibility);
        var rows = await database.QueryAsync(
            $"""
            select n.name, s.cost, s.tokens, s.requests from (
                select user_no, sum(cost) as cost, sum(prompt_tokens + completion_tokens)::bigint as tokens, sum(requests)::bigint as requests
                from usage_daily {where} group by user_no
                order by 2 desc, 1 limit {where.Value((long)filter.PageSize)} offset {Offset(where, filter)}) s
            join names n on n.no = s.user_no order by s.cost desc, s.user_no
            """,
            where,
            static reader => new UserSpend(reader.GetString(0), ReportDatabase.Dollars(reader, 1), reader.GetInt64(2), reader.GetInt64(3)),
            cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListUserSpend);
    }

    private async Task<IResult> Tags(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        var where = filter.OnDays(visibility);
        var rows = await database.QueryAsync(
            $"""
            select n.name, s.requests, s.cost, s.tokens from (
                select tag_no, sum(requests)::bigint as requests, sum(cost) as cost, sum(tokens)::bigint as tokens
                from usage_daily_tags {where} group by tag_no
                order by 3 desc, 1 limit {where.Value((long)filter.PageSize)} offset {Offset(where, filter)}) s
            join names n on n.no = s.tag_no order by s.cost desc, s.tag_no
            """,
            where,
            static reader => new TagSpend(reader.GetString(0), reader.GetInt64(1), ReportDatabase.Dollars(reader, 2), reader.GetInt64(3)),
            cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListTagSpend);
    }

    private static string Offset(Where where, ReportFilter filter) => where.Value((long)(filter.Page - 1) * filter.PageSize);
}
