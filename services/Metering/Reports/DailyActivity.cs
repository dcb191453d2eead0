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

    private sealed record Line(
        DateOnly Day, string Model, string ModelGroup, string Provider, string Key, string? Alias, string User, string Team, ActivityMetrics Metrics);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/user/daily/activity", static (HttpContext http, DailyActivity activity) => activity.Answer(http, static line => line.User));
        routes.MapGet("/team/daily/activity", static (HttpContext http, DailyActivity activity) => activity.Answer(http, static line => line.Team));
    }

    private async Task<IResult> Answer(HttpContext http, Func<Line, string> entity)
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
        var lines = until < from ? [] : await LinesAsync(page, Visibility.Of(CallerIdentity.From(http)!), http.RequestAborted);
        var results = lines.GroupBy(line => line.Day).OrderByDescending(day => day.Key).Select(day => new ActivityDay(
            day.Key,
            Sum(day),
            new ActivityBreakdown(
                Parts(day, static line => line.Model), Parts(day, static line => line.ModelGroup), Parts(day, static line => line.Provider),
                Parts(day, static line => line.Key, static line => new ActivityLabels(line.Alias, line.Team is { Length: > 0 } team ? team : null)),
                Parts(day.Where(line => entity(line).Length > 0), entity)))).ToList();
        var total = Sum(lines);
        return TypedResults.Json(
            new Activity(results, new ActivityTotals(
                total.Spend, total.PromptTokens, total.CompletionTokens, total.CacheReadInputTokens, total.CacheCreationInputTokens, total.TotalTokens,
                total.ApiRequests, total.SuccessfulRequests, total.FailedRequests, filter.Page, pages, filter.Page < pages)),
            ReportsJson.Default.Activity);
    }

    private Task<List<Line>> LinesAsync(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        var where = filter.OnDaily(visibility);
        return database.QueryAsync(
            $"""
            select s.day, provider_model.name, model.name, provider.name, key.name, alias.name, usr.name, team.name,
                s.cost, s.prompt, s.completion, s.cached, s.cache_write, s.reasoning, s.requests, s.failed
            from (
                select day, provider_model_no, model_no, provider_no, key_no, alias_no, user_no, team_no, sum(cost) as cost,
                    sum(prompt_tokens)::bigint as prompt, sum(completion_tokens)::bigint as completion, sum(cached_tokens)::bigint as cached,
                    sum(cache_write_tokens)::bigint as cache_write, sum(reasoning_tokens)::bigint as reasoning, sum(requests)::bigint as requests,
                    sum(failed)::bigint as failed
                from usage_daily {where} group by 1, 2, 3, 4, 5, 6, 7, 8) s
            join names provider_model on provider_model.no = s.provider_model_no join names model on model.no = s.model_no
            join names provider on provider.no = s.provider_no join names key on key.no = s.key_no join names alias on alias.no = s.alias_no
            join names usr on usr.no = s.user_no join names team on team.no = s.team_no
            order by s.day desc, s.cost desc
            """,
            where,
            static reader => new Line(
                reader.GetFieldValue<DateOnly>(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                ReportDatabase.NameOrNull(reader, 5), reader.GetString(6), reader.GetString(7),
                new ActivityMetrics
                {
                    Spend = ReportDatabase.Dollars(reader, 8),
                    PromptTokens = reader.GetInt64(9),
                    CompletionTokens = reader.GetInt64(10),
                    CacheReadInputTokens = reader.GetInt64(11),
                    CacheCreationInputTokens = reader.GetInt64(12),
                    ReasoningTokens = reader.GetInt64(13),
                    TotalTokens = reader.GetInt64(9) + reader.GetInt64(10),
                    ApiRequests = reader.GetInt64(14),
                    FailedRequests = reader.GetInt64(15),
                    SuccessfulRequests = reader.GetInt64(14) - reader.GetInt64(15),
                }),
            cancellation);
    }

    private static ActivityMetrics Sum(IEnumerable<Line> lines) =>
        lines.Aggregate(new ActivityMetrics(), static (sum, line) => sum + line.Metrics);

    private static Dictionary<string, ActivityPart> Parts(IEnumerable<Line> lines, Func<Line, string> by, Func<Line, ActivityLabels>? labels = null) =>
        lines.GroupBy(by, StringComparer.Ordinal).ToDictionary(
            part => part.Key, part => new ActivityPart(Sum(part), labels?.Invoke(part.First()) ?? new ActivityLabels()), StringComparer.Ordinal);
}
