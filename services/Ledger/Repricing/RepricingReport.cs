using System.Text.Json.Serialization;
using Gateway.Contracts;

namespace Gateway.Ledger.Repricing;

/// <summary>One model in a report, in dollars.</summary>
internal sealed record RepricedModel(
    [property: JsonPropertyName("provider")] string Provider,
    [property: JsonPropertyName("model")] string Model,
    [property: JsonPropertyName("requests")] long Requests,
    [property: JsonPropertyName("changed")] long Changed,
    [property: JsonPropertyName("before")] decimal Before,
    [property: JsonPropertyName("after")] decimal After)
{
    [JsonPropertyName("difference")]
    public decimal Difference => After - Before;
}

/// <summary>What pricing a period anew did, or would do.</summary>
internal sealed record RepricingReport
{
    [JsonPropertyName("id")]
    public required Guid Id { get; init; }

    /// <summary>Whether nothing was booked.</summary>
    [JsonPropertyName("dry_run")]
    public required bool DryRun { get; init; }

    [JsonPropertyName("from")]
    public required DateTimeOffset From { get; init; }

    [JsonPropertyName("to")]
    public required DateTimeOffset To { get; init; }

    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    [JsonPropertyName("author")]
    public required string Author { get; init; }

    /// <summary>Requests that were priced.</summary>
    [JsonPropertyName("requests")]
    public required long Requests { get; init; }

    /// <summary>Entries that were added; for a dry run those that would be.</summary>
    [JsonPropertyName("entries")]
    public required long Entries { get; init; }

    [JsonPropertyName("before")]
    public required decimal Before { get; init; }

    [JsonPropertyName("after")]
    public required decimal After { get; init; }

    [JsonPropertyName("difference")]
    public decimal Difference => After - Before;

    /// <summary>Requests that stay as they are, by why.</summary>
    [JsonPropertyName("not_repriced")]
    public required IReadOnlyDictionary<string, long> NotRepriced { get; init; }

    [JsonPropertyName("models")]
    public required IReadOnlyList<RepricedModel> Models { get; init; }
}

/// <summary>Adds a report up.</summary>
internal sealed class RepricingSums
{
    private readonly Dictionary<string, long> left = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Provider, string Model), (long Requests, long Changed, Money Before, Money After)> models = [];

    public void Add(UsageToPrice usage, Repriced result)
    {
        if (result.Skipped is { } why)
        {
            left[why] = left.GetValueOrDefault(why) + 1;
            return;
        }

        var known = models.GetValueOrDefault((usage.Provider, usage.ProviderModel));
        models[(usage.Provider, usage.ProviderModel)] =
            (known.Requests + 1, known.Changed + (result.Entry is null ? 0 : 1), known.Before + result.Before, known.After + result.After);
    }

    public RepricingReport Report(Guid id, RepricingQuestion asked, string author) => new()
    {
        Id = id,
        DryRun = asked.DryRun,
        From = asked.From,
        To = asked.To,
        Reason = asked.Reason,
        Author = author,
        Requests = models.Values.Sum(model => model.Requests),
        Entries = models.Values.Sum(model => model.Changed),
        Before = models.Values.Sum(model => model.Before.ToDollars()),
        After = models.Values.Sum(model => model.After.ToDollars()),
        NotRepriced = left,
        Models = [.. models.Select(model => new RepricedModel(
            model.Key.Provider, model.Key.Model, model.Value.Requests, model.Value.Changed, model.Value.Before.ToDollars(), model.Value.After.ToDollars()))
            .OrderBy(model => model.Provider, StringComparer.Ordinal).ThenBy(model => model.Model, StringComparer.Ordinal)],
    };
}
