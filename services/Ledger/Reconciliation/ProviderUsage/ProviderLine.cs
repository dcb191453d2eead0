using System.Text.RegularExpressions;
using Gateway.Contracts;

namespace Gateway.Ledger.Reconciliation.ProviderUsage;

/// <summary>What a provider says that one model used on one day (UTC). Null: it does not say.</summary>
internal sealed record ProviderLine(DateOnly Day, string Model, long? Requests, long? Prompt, long? Cached, long? CacheWrite, long? Completion, decimal? Cost)
{
    public ProviderLine Plus(ProviderLine other) => this with
    {
        Requests = Sum(Requests, other.Requests),
        Prompt = Sum(Prompt, other.Prompt),
        Cached = Sum(Cached, other.Cached),
        CacheWrite = Sum(CacheWrite, other.CacheWrite),
        Completion = Sum(Completion, other.Completion),
        Cost = Cost is null && other.Cost is null ? null : (Cost ?? 0) + (other.Cost ?? 0),
    };

    private static long? Sum(long? left, long? right) => left is null && right is null ? null : (left ?? 0) + (right ?? 0);
}

/// <summary>One figure of a day and model.</summary>
/// <param name="What"><c>prompt_tokens</c>, <c>cached_tokens</c>, <c>cache_write_tokens</c>, <c>completion_tokens</c>, <c>requests</c> or <c>cost</c> (dollars).</param>
internal sealed record Figure(string What, decimal Gateway, decimal Provider)
{
    public decimal Difference => Provider - Gateway;
}

/// <summary>A day and model of which something differs.</summary>
internal sealed record ProviderDifference(DateOnly Day, string Model, IReadOnlyList<Figure> Figures, string Explanation);

/// <summary>How a provider's usage is compared with the gateway's. No I/O.</summary>
internal static partial class ProviderComparison
{
    /// <summary>
    /// What differs by more than <paramref name="tolerance"/> (a part: 0.01 is one percent). Dated and undated names of a model
    /// (<c>gpt-4o</c>, <c>gpt-4o-2024-08-06</c>) are one model: providers report the dated one whatever was asked for. The number of requests is
    /// shown and decides nothing: providers count attempts that failed in their own ways.
    /// </summary>
    public static List<ProviderDifference> Of(IEnumerable<DailyUsage> ours, IEnumerable<ProviderLine> theirs, decimal tolerance)
    {
        var gateway = ours
            .Select(usage => new ProviderLine(usage.Day, Stem(usage.Model), usage.Requests, usage.Prompt, usage.Cached, usage.CacheWrite, usage.Completion, usage.Cost.ToDollars()))
            .GroupBy(line => (line.Day, line.Model)).ToDictionary(same => same.Key, same => same.Aggregate((left, right) => left.Plus(right)));
        var provider = theirs
            .Select(line => line with { Model = Stem(line.Model) })
            .GroupBy(line => (line.Day, line.Model)).ToDictionary(same => same.Key, same => same.Aggregate((left, right) => left.Plus(right)));
        // A file with costs alone says nothing about tokens of a day that it does not have, and the other way round.
        var states = provider.Values.Aggregate(new ProviderLine(default, "", null, null, null, null, null, null), (left, right) => left.Plus(right));
        return [.. gateway.Keys.Union(provider.Keys).Order()
            .Select(key => Compare(key.Day, key.Model, gateway.GetValueOrDefault(key), provider.GetValueOrDefault(key), states, tolerance))
            .OfType<ProviderDifference>()];
    }

    /// <summary>A model's name without the date at its end.</summary>
    public static string Stem(string model) => DateAtEnd().Replace(model.ToLowerInvariant(), "");

    private static ProviderDifference? Compare(DateOnly day, string model, ProviderLine? gateway, ProviderLine? provider, ProviderLine states, decimal tolerance)
    {
        var figures = new List<Figure>();
        var differs = false;
        void Look(string what, decimal? stated, decimal? ours, decimal? theirs, bool decides = true)
        {
            if (stated is null)
            {
                return;
            }

            var figure = new Figure(what, ours ?? 0, theirs ?? 0);
            figures.Add(figure);
            differs |= decides && Math.Abs(figure.Difference) > tolerance * Math.Max(Math.Abs(figure.Gateway), Math.Abs(figure.Provider));
        }

        Look("prompt_tokens", states.Prompt, gateway?.Prompt, provider?.Prompt);
        Look("cached_tokens", states.Cached, gateway?.Cached, provider?.Cached);
        Look("cache_write_tokens", states.CacheWrite, gateway?.CacheWrite, provider?.CacheWrite);
        Look("completion_tokens", states.Completion, gateway?.Completion, provider?.Completion);
        Look("cost", states.Cost, gateway?.Cost, provider?.Cost);
        Look("requests", states.Requests, gateway?.Requests, provider?.Requests, decides: false);
        return differs ? new(day, model, figures, Explain(gateway, provider, figures)) : null;
    }

    private static string Explain(ProviderLine? gateway, ProviderLine? provider, List<Figure> figures) => (gateway, provider) switch
    {
        (null, _) => "The gateway has none of it: somebody uses the provider's account without the gateway, or the file is another account's.",
        (_, null) => "The provider has none of it: its file ends before this day, or was filtered by project or key.",
        _ when figures.Where(figure => figure.What != "cost" && figure.What != "requests").All(figure => figure.Difference == 0) =>
            "The tokens agree and the cost does not: the price differs. Correct the price, and POST /budget/reprice for the period.",
        _ when figures.Any(figure => figure.What != "cost" && figure.Difference > 0) =>
            "The provider counted more: requests under way when an edge was killed, answers cut off before their usage came (estimated here), or calls without the gateway.",
        _ => "The gateway counted more: answers that the provider does not charge, or estimates that were too high.",
    };

    [GeneratedRegex(@"(-\d{4}-\d{2}-\d{2}|-\d{8}|@\d{8})$")]
    private static partial Regex DateAtEnd();
}
