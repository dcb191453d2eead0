using System.Text.Json.Serialization;
using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

/// <summary>What was used, summed up.</summary>
internal sealed record ActivityMetrics
{
    public decimal Spend { get; init; }

    public long PromptTokens { get; init; }

    public long CompletionTokens { get; init; }

    public long CacheReadInputTokens { get; init; }

    public long CacheCreationInputTokens { get; init; }

    public long ReasoningTokens { get; init; }

    public long TotalTokens { get; init; }

    public long SuccessfulRequests { get; init; }

    public long FailedRequests { get; init; }

    public long ApiRequests { get; init; }

    public static ActivityMetrics operator +(ActivityMetrics left, ActivityMetrics right) => new()
    {
        Spend = left.Spend + right.Spend,
        PromptTokens = left.PromptTokens + right.PromptTokens,
        CompletionTokens = left.CompletionTokens + right.CompletionTokens,
        CacheReadInputTokens = left.CacheReadInputTokens + right.CacheReadInputTokens,
        CacheCreationInputTokens = left.CacheCreationInputTokens + right.CacheCreationInputTokens,
        ReasoningTokens = left.ReasoningTokens + right.ReasoningTokens,
        TotalTokens = left.TotalTokens + right.TotalTokens,
        SuccessfulRequests = left.SuccessfulRequests + right.SuccessfulRequests,
        FailedRequests = left.FailedRequests + right.FailedRequests,
        ApiRequests = left.ApiRequests + right.ApiRequests,
    };
}

internal sealed record ActivityPart(ActivityMetrics Metrics, ActivityLabels Metadata);

/// <summary>How a key is called; empty for other parts.</summary>
internal sealed record ActivityLabels(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? KeyAlias = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TeamId = null);

/// <param name="Models">By the provider's name of the model.</param>
/// <param name="ModelGroups">By the public name.</param>
/// <param name="Providers">By provider.</param>
/// <param name="ApiKeys">By the key's id.</param>
/// <param name="Entities">By user, or by team on the team's route.</param>
internal sealed record ActivityBreakdown(
    IReadOnlyDictionary<string, ActivityPart> Models,
    IReadOnlyDictionary<string, ActivityPart> ModelGroups,
    IReadOnlyDictionary<string, ActivityPart> Providers,
    IReadOnlyDictionary<string, ActivityPart> ApiKeys,
    IReadOnlyDictionary<string, ActivityPart> Entities);

internal sealed record ActivityDay(DateOnly Date, ActivityMetrics Metrics, ActivityBreakdown Breakdown);

internal sealed record ActivityTotals(
    decimal TotalSpend, long TotalPromptTokens, long TotalCompletionTokens, long TotalCacheReadInputTokens, long TotalCacheCreationInputTokens,
    long TotalTokens, long TotalApiRequests, long TotalSuccessfulRequests, long TotalFailedRequests, int Page, int TotalPages, bool HasMore);

internal sealed record Activity(IReadOnlyList<ActivityDay> Results, ActivityTotals Metadata);

/// <summary><c>/user/daily/activity</c> and <c>/team/daily/activity</c>: a page is a number of days, newest first.</summary>
internal sealed class DailyActivity(ReportDatabase database, KeyLookup keys)
{
    private const int DaysMax = 366;

    /// <summary>What a row is the sum of, beside its day: the columns that PostgreSQL's <c>grouping</c> says are not its own, as bits.</summary>
    private enum Of
    {
        Model = 0b01111,
        ModelGroup = 0b10111,
        Provider = 0b11011,
        Key = 0b11101,
        Entity = 0b11110,
        Day = 0b11111,
    }

    private sealed record Line(DateOnly Day, Of Of, string Name, ActivityLabels Labels, ActivityMetrics Metrics);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/user/daily/activity", static (HttpContext http, DailyActivity activity) => activity.Answer(http, "user_no"));
        routes.MapGet("/team/daily/activity", static (HttpContext http, DailyActivity activity) => activity.Answer(http, "team_no"));
    }

    private async Task<IResult> Answer(HttpContext http, string entity)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        if (refusal is null)
        {
            (filter, refusal) = await keys.ResolveAsync(filter, http.RequestAborted);
        }

        // LiteLLM's plural: one team, or several with commas.
        if (http.Request.Query["team_ids"] is [{ Length: > 0 } teams] && !teams.Contains(',', StringComparison.Ordinal))
        {
            filter = filter with { TeamId = teams };
        }

        if (refusal is not null)
        {
            return refusal;
        }

        if (filter.FirstDay is not { } first || filter.LastDay is not { } last || last.DayNumber - first.DayNumber >= DaysMax)
        {
            return Problems.Result(422, "invalid_request", $"Give start_date and end_date, at most {DaysMax} days apart.", "start_date");
        }

        // Newest day first: page 1 ends with the last day.
        var daysPerPage = Math.Min(filter.PageSize, DaysMax);
        var days = last.DayNumber - first.DayNumber + 1;
        var pages = (days + daysPerPage - 1) / daysPerPage;
        var until = last.AddDays(-Math.Min((filter.Page - 1) * daysPerPage, days));
        var from = DateOnly.FromDayNumber(Math.Max(first.DayNumber, until.DayNumber - daysPerPage + 1));
        var page = filter with
        {
            From = from.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc),
            Until = until.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc),
        };
        var lines = until < from ? [] : await LinesAsync(page, entity, Visibility.Of(CallerIdentity.From(http)!), http.RequestAborted);
        var results = lines.GroupBy(static line => line.Day).OrderByDescending(static day => day.Key).Select(static day =>
        {
            var parts = day.ToLookup(static line => line.Of);
            return new ActivityDay(day.Key, parts[Of.Day].Single().Metrics, new ActivityBreakdown(
                Parts(parts[Of.Model]), Parts(parts[Of.ModelGroup]), Parts(parts[Of.Provider]), Parts(parts[Of.Key]), Parts(parts[Of.Entity].Where(static line => line.Name.Length > 0))));
        }).ToList();
        var total = results.Aggregate(new ActivityMetrics(), static (sum, day) => sum + day.Metrics);
        return TypedResults.Json(
            new Activity(results, new ActivityTotals(
                total.Spend, total.PromptTokens, total.CompletionTokens, total.CacheReadInputTokens, total.CacheCreationInputTokens, total.TotalTokens,
                total.ApiRequests, total.SuccessfulRequests, total.FailedRequests, filter.Page, pages, filter.Page < pages)),
            ReportsJson.Default.Activity);
    }

    // One reading of the roll-ups for all parts: what every key did with every model is a hundred times as many rows, and nobody asked for it.
    private Task<List<Line>> LinesAsync(ReportFilter filter, string entity, Visibility visibility, CancellationToken cancellation)
    {
        var where = filter.OnDaily(visibility);
        return database.QueryAsync(
            $"""
            select s.day, s.of, coalesce(n.name, ''), alias.name, team.name, s.cost, s.prompt, s.completion, s.cached, s.cache_write, s.reasoning, s.requests, s.failed
            from (
                select day, grouping(provider_model_no, model_no, provider_no, key_no, {entity}) as of,
                    coalesce(provider_model_no, model_no, provider_no, key_no, {entity}) as no, max(alias_no) as alias_no, max(team_no) as key_team_no,
                    sum(cost) as cost, sum(prompt_tokens)::bigint as prompt, sum(completion_tokens)::bigint as completion,
                    sum(cached_tokens)::bigint as cached, sum(cache_write_tokens)::bigint as cache_write, sum(reasoning_tokens)::bigint as reasoning,
                    sum(requests)::bigint as requests, sum(failed)::bigint as failed
                from usage_daily {where}
                group by grouping sets ((day), (day, provider_model_no), (day, model_no), (day, provider_no), (day, key_no), (day, {entity}))) s
            left join names n on n.no = s.no left join names alias on alias.no = s.alias_no and s.of = {(int)Of.Key}
            left join names team on team.no = s.key_team_no and s.of = {(int)Of.Key}
            order by s.day desc, s.cost desc
            """,
            where,
            static reader => new Line(
                reader.GetFieldValue<DateOnly>(0), (Of)reader.GetInt32(1), reader.GetString(2),
                new ActivityLabels(ReportDatabase.NameOrNull(reader, 3), ReportDatabase.NameOrNull(reader, 4)),
                new ActivityMetrics
                {
                    Spend = ReportDatabase.Dollars(reader, 5),
                    PromptTokens = reader.GetInt64(6),
                    CompletionTokens = reader.GetInt64(7),
                    CacheReadInputTokens = reader.GetInt64(8),
                    CacheCreationInputTokens = reader.GetInt64(9),
                    ReasoningTokens = reader.GetInt64(10),
                    TotalTokens = reader.GetInt64(6) + reader.GetInt64(7),
                    ApiRequests = reader.GetInt64(11),
                    FailedRequests = reader.GetInt64(12),
                    SuccessfulRequests = reader.GetInt64(11) - reader.GetInt64(12),
                }),
            cancellation);
    }

    private static Dictionary<string, ActivityPart> Parts(IEnumerable<Line> lines) =>
        lines.ToDictionary(static line => line.Name, static line => new ActivityPart(line.Metrics, line.Labels), StringComparer.Ordinal);
}
