using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

internal sealed record TotalSpend(decimal Spend, long TotalTokens, long ApiRequests);

internal sealed record DaySpend(DateOnly Date, decimal Spend, long TotalTokens, long ApiRequests);

internal sealed record GlobalKeySpend(string ApiKey, string? KeyAlias, decimal TotalSpend);

internal sealed record ModelSpend(string Model, decimal TotalSpend, long TotalTokens, long ApiRequests);

internal sealed record ProviderSpend(string Provider, decimal Spend, long TotalTokens, long ApiRequests);

internal sealed record EndUserSpend(string EndUser, long TotalCount, decimal TotalSpend);

internal sealed record TeamTotal(string TeamId, decimal TotalSpend);

/// <param name="DailySpend">For each day its date and, by team, the spend.</param>
/// <param name="Teams">The teams.</param>
/// <param name="TotalSpendPerTeam">The sums, largest first.</param>
internal sealed record TeamsSpend(
    IReadOnlyList<SortedDictionary<string, object>> DailySpend, IReadOnlyList<string> Teams, IReadOnlyList<TeamTotal> TotalSpendPerTeam);

/// <summary><c>/global/*</c>: what the whole gateway spent. For administrators. From the roll-ups alone, so the length of the log does not matter.</summary>
internal sealed class GlobalSpend(ReportDatabase database, KeyLookup keys, TimeProvider clock)
{
    // What LiteLLM shows when no dates are given.
    private const int DaysShown = 30;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/global/spend");
        Both(admin, "", static (report, filter, cancellation) => report.Total(filter, cancellation), bounded: false);
        Both(admin, "/logs", static (report, filter, cancellation) => report.Days(filter, cancellation));
        Both(admin, "/keys", static (report, filter, cancellation) => report.Keys(filter, cancellation));
        Both(admin, "/teams", static (report, filter, cancellation) => report.Teams(filter, cancellation));
        Both(admin, "/models", static (report, filter, cancellation) => report.Models(filter, cancellation));
        Both(admin, "/provider", static (report, filter, cancellation) => report.Providers(filter, cancellation));
        Both(admin, "/end_users", static (report, filter, cancellation) => report.EndUsers(filter, cancellation));
    }

    /// <summary>LiteLLM asks some of these with POST and some with GET; here either works, with the parameters in the query.</summary>
    private static void Both(
        RouteGroupBuilder routes, string path, Func<GlobalSpend, ReportFilter, CancellationToken, Task<IResult>> report, bool bounded = true) =>
        routes.MapMethods(path, ["GET", "POST"], (HttpContext http, GlobalSpend spend) => spend.Answer(http, report, bounded));

    private async Task<IResult> Answer(HttpContext http, Func<GlobalSpend, ReportFilter, CancellationToken, Task<IResult>> report, bool bounded)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        if (refusal is null)
        {
            (filter, refusal) = await keys.ResolveAsync(filter, http.RequestAborted);
        }

        if (bounded && filter is { From: null, Until: null })
        {
            filter = filter with { From = clock.GetUtcNow().UtcDateTime.Date.AddDays(1 - DaysShown) };
        }

        return refusal ?? await report(this, filter, http.RequestAborted);
    }

    private async Task<IResult> Total(ReportFilter filter, CancellationToken cancellation)
    {
        var where = filter.OnDaily(Visibility.All);
        var rows = await database.QueryAsync(
            $"select coalesce(sum(cost), 0), coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint, coalesce(sum(requests), 0)::bigint from usage_daily {where}",
            where, static reader => new TotalSpend(ReportDatabase.Dollars(reader, 0), reader.GetInt64(1), reader.GetInt64(2)), cancellation);
        return TypedResults.Json(rows[0], ReportsJson.Default.TotalSpend);
    }

    private async Task<IResult> Days(ReportFilter filter, CancellationToken cancellation)
    {
        var where = filter.OnDaily(Visibility.All);
        var rows = await database.QueryAsync(
            $"select day, sum(cost), sum(prompt_tokens + completion_tokens)::bigint, sum(requests)::bigint from usage_daily {where} group by day order by day",
            where,
            static reader => new DaySpend(reader.GetFieldValue<DateOnly>(0), ReportDatabase.Dollars(reader, 1), reader.GetInt64(2), reader.GetInt64(3)),
            cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListDaySpend);
    }

    private async Task<IResult> Keys(ReportFilter filter, CancellationToken cancellation)
    {
        var where = filter.OnDaily(Visibility.All);
        var rows = await database.QueryAsync(
            $"""
            select key.name, alias.name, s.cost from (
                select key_no, (array_agg(alias_no order by day desc))[1] as alias_no, sum(cost) as cost
                from usage_daily {where} group by key_no order by 3 desc, 1 limit {where.Value((long)filter.PageSize)}) s
            join names key on key.no = s.key_no join names alias on alias.no = s.alias_no order by s.cost desc, s.key_no
            """,
            where, static reader => new GlobalKeySpend(reader.GetString(0), ReportDatabase.NameOrNull(reader, 1), ReportDatabase.Dollars(reader, 2)), cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListGlobalKeySpend);
    }

    private async Task<IResult> Models(ReportFilter filter, CancellationToken cancellation) =>
        TypedResults.Json(
            await By("model_no", filter, static (name, spend, tokens, requests) => new ModelSpend(name, spend, tokens, requests), cancellation),
            ReportsJson.Default.ListModelSpend);

    private async Task<IResult> Providers(ReportFilter filter, CancellationToken cancellation) =>
        TypedResults.Json(
            await By("provider_no", filter, static (name, spend, tokens, requests) => new ProviderSpend(name, spend, tokens, requests), cancellation),
            ReportsJson.Default.ListProviderSpend);

    private Task<List<T>> By<T>(string column, ReportFilter filter, Func<string, decimal, long, long, T> make, CancellationToken cancellation)
    {
        var where = filter.OnDaily(Visibility.All);
        return database.QueryAsync(
            $"""
            select n.name, s.cost, s.tokens, s.requests from (
                select {column} as no, sum(cost) as cost, sum(prompt_tokens + completion_tokens)::bigint as tokens, sum(requests)::bigint as requests
                from usage_daily {where} group by 1 order by 2 desc, 1 limit {where.Value((long)filter.PageSize)}) s
            join names n using (no) order by s.cost desc, s.no
            """,
            where, reader => make(reader.GetString(0), ReportDatabase.Dollars(reader, 1), reader.GetInt64(2), reader.GetInt64(3)), cancellation);
    }

    private async Task<IResult> EndUsers(ReportFilter filter, CancellationToken cancellation)
    {
        var where = filter.OnDays(Visibility.All);
        var rows = await database.QueryAsync(
            $"""
            select n.name, s.requests, s.cost from (
                select end_user_no as no, sum(requests)::bigint as requests, sum(cost) as cost
                from usage_daily_end_users {where} group by 1 order by 3 desc, 1 limit {where.Value((long)filter.PageSize)}) s
            join names n using (no) order by s.cost desc, s.no
            """,
            where, static reader => new EndUserSpend(reader.GetString(0), reader.GetInt64(1), ReportDatabase.Dollars(reader, 2)), cancellation);
        return TypedResults.Json(rows, ReportsJson.Default.ListEndUserSpend);
    }

    private async Task<IResult> Teams(ReportFilter filter, CancellationToken cancellation)
    {
        var where = filter.OnDaily(Visibility.All);
        var rows = await database.QueryAsync(
            $"""
            select s.day, n.name, s.cost from (select day, team_no, sum(cost) as cost from usage_daily {where} group by 1, 2) s
            join names n on n.no = s.team_no order by s.day, n.name
            """,
            where, static reader => (Day: reader.GetFieldValue<DateOnly>(0), Team: reader.GetString(1), Spend: ReportDatabase.Dollars(reader, 2)), cancellation);
        var days = rows.GroupBy(row => row.Day).Select(day =>
        {
            var entry = new SortedDictionary<string, object>(StringComparer.Ordinal);
            foreach (var (_, team, spend) in day)
            {
                entry[team.Length > 0 ? team : "no_team"] = spend;
            }

            // Last: a team that is called "date" does not hide the date.
            entry["date"] = day.Key;
            return entry;
        }).ToList();
        var totals = rows.GroupBy(row => row.Team, StringComparer.Ordinal)
            .Select(team => new TeamTotal(team.Key.Length > 0 ? team.Key : "no_team", team.Sum(row => row.Spend)))
            .OrderByDescending(team => team.TotalSpend).ToList();
        return TypedResults.Json(new TeamsSpend(days, totals.ConvertAll(team => team.TeamId), totals), ReportsJson.Default.TeamsSpend);
    }
}
