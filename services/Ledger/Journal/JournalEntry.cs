using Gateway.Contracts;

namespace Gateway.Ledger.Journal;

/// <summary>Why an entry is in the journal.</summary>
internal enum EntryKind
{
    /// <summary>One request, with the request's id.</summary>
    Usage,

    /// <summary>A correction by a person, with reason and author.</summary>
    Adjustment,

    /// <summary>The difference that new prices make for a period, with reason and author.</summary>
    Repricing,
}

/// <summary>
/// One balanced transfer: <see cref="Amount"/> from <see cref="Debit"/> to <see cref="Credit"/>, never negative. It counts with the same
/// amount on every account and window named, and with the opposite sign when it <see cref="Reverses"/>.
/// </summary>
internal sealed record JournalEntry
{
    public required DateTimeOffset At { get; init; }

    public required Guid Id { get; init; }

    public EntryKind Kind { get; init; }

    public required string Debit { get; init; }

    public required string Credit { get; init; }

    public required Money Amount { get; init; }

    public bool Reverses { get; init; }

    public required string[] Accounts { get; init; }

    public required string[] Windows { get; init; }

    public string? EdgeId { get; init; }

    public string? Price { get; init; }

    public string? Reason { get; init; }

    public string? Author { get; init; }

    /// <summary>The request that this is about; null for one that is about no single request.</summary>
    public Guid? About { get; init; }

    public Money Counts => Reverses ? -Amount : Amount;
}
