using Gateway.Contracts;

namespace Gateway.Ledger.Journal;

/// <summary>Makes the entries of one message's records. What records have in common (<see cref="AlikeRecords"/>) is looked at, and made, once.</summary>
/// <param name="now">The time.</param>
/// <param name="ageMax">Older records are refused.</param>
internal sealed class UsageEntries(DateTimeOffset now, TimeSpan ageMax)
{
    private readonly Dictionary<UsageRecord, JournalEntry> alike = new(AlikeRecords.Comparer);

    /// <summary>The entries made.</summary>
    public List<JournalEntry> Made { get; } = [];

    /// <summary>Makes a record's entry, or says why it cannot be booked.</summary>
    public string? Add(UsageRecord record)
    {
        if (JournalRules.RefusalOfNumbers(record, now, ageMax) is { } refusal)
        {
            return refusal;
        }

        // A correction has other sides and may take back.
        if (record.Corrects is null && alike.TryGetValue(record, out var other))
        {
            Made.Add(other with { At = record.StartedAt, Id = record.RequestId, Amount = record.Cost });
            return null;
        }

        if (JournalRules.RefusalOfNames(record) is { } refusalOfNames)
        {
            return refusalOfNames;
        }

        var entry = JournalRules.FromUsage(record);
        Made.Add(entry);
        if (record.Corrects is null)
        {
            alike.Add(record, entry);
        }

        return null;
    }
}
