using System.Text.Json.Serialization;

namespace Gateway.SampleProvider.Stats;

internal static class StatsRoutes
{
    public static void MapStats(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sample/stats", (RequestStats stats) => TypedResults.Json(StatsReport.Of(stats), StatsJson.Default.StatsReport));
        routes.MapPost("/sample/reset", (RequestStats stats) =>
        {
            stats.Reset();
            return TypedResults.NoContent();
        });
    }
}

/// <summary>The answer of <c>/sample/stats</c>: totals, and one row for each path, model, key and status.</summary>
internal sealed record StatsReport(
    long Requests, long InFlight, long LargestConcurrency, long Cancelled,
    Dictionary<string, long> ByPath, Dictionary<string, long> ByModel, Dictionary<string, long> ByKey, Dictionary<string, long> ByStatus,
    StatsRow[] Rows)
{
    public static StatsReport Of(RequestStats stats)
    {
        StatsRow[] rows = [.. stats.Rows.OrderBy(row => row.Path, StringComparer.Ordinal).ThenBy(row => row.Model, StringComparer.Ordinal)];
        Dictionary<string, long> By(Func<StatsRow, string> part) =>
            rows.GroupBy(part).ToDictionary(group => group.Key, group => group.Sum(row => row.Requests));

        return new(rows.Sum(row => row.Requests), stats.InFlight, stats.LargestConcurrency, rows.Sum(row => row.Cancelled),
            By(row => row.Path), By(row => row.Model), By(row => row.KeyHash), By(row => row.Status.ToString("D", null)), rows);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatsReport))]
internal sealed partial class StatsJson : JsonSerializerContext;
