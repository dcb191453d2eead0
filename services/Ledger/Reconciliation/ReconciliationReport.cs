using System.Text.Json.Serialization;
using Gateway.Contracts;

namespace Gateway.Ledger.Reconciliation;

/// <summary>Two books that should agree and do not.</summary>
/// <param name="Kind">Which comparison: one of <see cref="ReconciliationKinds"/>.</param>
/// <param name="Subject">Of what: a window, an account and day, a period.</param>
/// <param name="Expected">What the journal says, in dollars.</param>
/// <param name="Found">What the other book says, in dollars.</param>
/// <param name="Explanation">What it means and where to look.</param>
internal sealed record Difference(
    [property: JsonPropertyName("kind")] string Kind,
    [property: JsonPropertyName("subject")] string Subject,
    [property: JsonPropertyName("expected")] decimal Expected,
    [property: JsonPropertyName("found")] decimal Found,
    [property: JsonPropertyName("explanation")] string Explanation)
{
    [JsonPropertyName("difference")]
    public decimal Amount => Found - Expected;

    public static Difference Of(string kind, string subject, long expected, long found, string explanation) =>
        new(kind, subject, new Money(expected).ToDollars(), new Money(found).ToDollars(), explanation);
}

internal static class ReconciliationKinds
{
    /// <summary>A window's total against the journal's entries in it.</summary>
    public const string Windows = "windows";

    /// <summary>An account's day against the journal's entries of it.</summary>
    public const string Accounts = "accounts";

    /// <summary>What Redis has as spent against the window's total of the same version.</summary>
    public const string Redis = "redis_spent";

    /// <summary>What Redis has as leased against what its edges hold.</summary>
    public const string Leased = "redis_leased";

    /// <summary>Metering's usage rows against the journal's entries.</summary>
    public const string Usage = "usage_rows";

    public static readonly string[] All = [Windows, Accounts, Redis, Leased, Usage];
}

/// <summary>One comparison of the books. Nothing is changed by it, ever: a person corrects with <c>/budget/adjust</c>.</summary>
internal sealed record ReconciliationReport
{
    [JsonPropertyName("started_at")]
    public required DateTimeOffset StartedAt { get; init; }

    [JsonPropertyName("from")]
    public required DateTimeOffset From { get; init; }

    [JsonPropertyName("to")]
    public required DateTimeOffset To { get; init; }

    /// <summary>Whether everything was added up from the first entry. Else open windows are, too, but for what an earlier comparison has added up of them.</summary>
    [JsonPropertyName("full")]
    public bool Full { get; init; }

    [JsonPropertyName("journal_entries")]
    public long JournalEntries { get; init; }

    [JsonPropertyName("journal_amount")]
    public decimal JournalAmount { get; init; }

    [JsonPropertyName("windows_compared")]
    public int WindowsCompared { get; init; }

    [JsonPropertyName("windows_in_redis")]
    public int WindowsInRedis { get; init; }

    /// <summary>Windows whose newest total Redis had not heard of at that moment: on its way, no difference.</summary>
    [JsonPropertyName("windows_on_their_way")]
    public int WindowsOnTheirWay { get; init; }

    /// <summary>What edges have charged and the journal does not have: their records are in spools and queues. In neither of the books that are compared.</summary>
    [JsonPropertyName("open_at_edges")]
    public decimal OpenAtEdges { get; init; }

    /// <summary>For how long some of it has not moved, as comparisons of this process saw it.</summary>
    [JsonPropertyName("open_for_seconds")]
    public long OpenForSeconds { get; init; }

    /// <summary>Records kept aside because no rule could book them: not in any book until a person decides.</summary>
    [JsonPropertyName("rejected_records")]
    public long RejectedRecords { get; init; }

    /// <summary>What was not compared, and why.</summary>
    [JsonPropertyName("not_compared")]
    public required IReadOnlyList<string> NotCompared { get; init; }

    [JsonPropertyName("differences")]
    public required IReadOnlyList<Difference> Differences { get; init; }

    [JsonPropertyName("balanced")]
    public bool Balanced => Differences.Count == 0;

    public Dictionary<string, double> ByKind() =>
        ReconciliationKinds.All.ToDictionary(kind => kind, kind => (double)Differences.Where(difference => difference.Kind == kind).Sum(difference => Math.Abs(difference.Amount)), StringComparer.Ordinal);
}
