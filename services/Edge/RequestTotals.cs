using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Gateway.Contracts;

namespace Gateway.Edge;

/// <summary>
/// Requests, tokens and cost since the start for each model, provider, team and key alias: added up here and read when somebody asks.
/// Handing each of them to an instrument with its five labels was one part in forty of what the edge does for a small request.
/// </summary>
internal sealed class RequestTotals
{
    /// <summary>
    /// Combinations that are told apart; what comes later counts as <see cref="Others"/>. Each has two series of tokens, and OpenTelemetry keeps
    /// 2,000 of an instrument.
    /// </summary>
    public const int LabelsMax = 990;

    /// <summary>Combinations with what was answered that are told apart.</summary>
    public const int AnswersMax = 1_900;

    /// <summary>The labels of what is beyond the bounds.</summary>
    public const string Others = "(others)";

    private readonly ConcurrentDictionary<SeriesLabels, Series> all = new();
    private readonly Series others = new();
    private readonly Lock making = new();
    private int labels;
    private int answers;

    /// <summary>Counts a request that is over.</summary>
    /// <param name="whose">Whose it was, and where it went.</param>
    /// <param name="status">The status that the client saw.</param>
    /// <param name="code">The error's code; null on success.</param>
    public void Handled(in SeriesLabels whose, int status, string? code)
    {
        var count = Find(Of(whose).Answers, (status, code), ref answers, AnswersMax) ?? others.Answers.GetOrAdd((status, code), static _ => new());
        Interlocked.Increment(ref count.Value);
    }

    /// <summary>Adds what a request used.</summary>
    public void Used(in SeriesLabels whose, long input, long output, Money cost)
    {
        var to = Of(whose);
        // A counter never goes back, whatever a provider reports.
        Interlocked.Add(ref to.Input, Math.Max(0, input));
        Interlocked.Add(ref to.Output, Math.Max(0, output));
        Interlocked.Add(ref to.CostNanoDollars, Math.Max(0, cost.NanoDollars));
    }

    public IEnumerable<Measurement<long>> Requests() =>
        from entry in All()
        from answer in entry.Value.Answers
        let labels = (KeyValuePair<string, object?>[])[.. LabelsOf(entry.Key), new("status", answer.Key.Status)]
        select new Measurement<long>(
            Interlocked.Read(ref answer.Value.Value), answer.Key.Code is { } code ? [.. labels, new("code", code)] : labels);

    public IEnumerable<Measurement<long>> Tokens() =>
        from entry in All()
        from side in ((string Type, long Count)[])[("input", Interlocked.Read(ref entry.Value.Input)), ("output", Interlocked.Read(ref entry.Value.Output))]
        where side.Count > 0
        select new Measurement<long>(side.Count, [.. LabelsOf(entry.Key), new("type", side.Type)]);

    public IEnumerable<Measurement<double>> Cost() =>
        from entry in All()
        let cost = Interlocked.Read(ref entry.Value.CostNanoDollars)
        where cost > 0
        select new Measurement<double>(cost / (double)Money.NanoDollarsPerDollar, LabelsOf(entry.Key));

    private static KeyValuePair<string, object?>[] LabelsOf(in SeriesLabels labels) =>
        [new("model", labels.Model), new("provider", labels.Provider), new("team", labels.Team), new("key_alias", labels.KeyAlias)];

    private IEnumerable<KeyValuePair<SeriesLabels, Series>> All() => all.Append(new(new(Others, Others, Others, Others), others));

    private Series Of(in SeriesLabels whose) => Find(all, whose, ref labels, LabelsMax) ?? others;

    // What is there, or is made as long as there is room; else null. Only what is new takes the lock.
    private TValue? Find<TKey, TValue>(ConcurrentDictionary<TKey, TValue> known, in TKey key, ref int taken, int max)
        where TKey : notnull
        where TValue : class, new()
    {
        if (known.TryGetValue(key, out var value) || Volatile.Read(ref taken) >= max)
        {
            return value;
        }

        lock (making)
        {
            if (!known.TryGetValue(key, out value) && taken < max)
            {
                taken++;
                known[key] = value = new();
            }

            return value;
        }
    }

    private sealed class Series
    {
        public long Input;
        public long Output;
        public long CostNanoDollars;

        // By what was answered: statuses and codes are small closed sets.
        public ConcurrentDictionary<(int Status, string? Code), Count> Answers { get; } = new();
    }

    private sealed class Count
    {
        public long Value;
    }
}

/// <summary>Labels that requests are counted by; empty where there is none.</summary>
internal readonly record struct SeriesLabels(string Model, string Provider, string Team, string KeyAlias);
