using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Entries of one transaction with the same accounts, windows and other words, on one day (UTC): their terms stand once in the journal, and
/// each total is added to once for all of them. The same are lists that are one object (<see cref="UsageEntries"/>); equal ones may be two groups.
/// </summary>
internal sealed class EntryGroup(JournalEntry first, DateOnly day)
{
    /// <summary>The id of its terms.</summary>
    public Guid TermsId { get; } = Guid.CreateVersion7();

    /// <summary>One of its entries.</summary>
    public JournalEntry First { get; } = first;

    public DateOnly Day { get; } = day;

    /// <summary>Each entry with its group.</summary>
    public static GroupedEntry[] Of(IReadOnlyList<JournalEntry> entries)
    {
        var groups = new Dictionary<(JournalEntry Entry, DateOnly Day), EntryGroup>(Alike.Comparer);
        var grouped = new GroupedEntry[entries.Count];
        for (var at = 0; at < grouped.Length; at++)
        {
            var (entry, day) = (entries[at], DateOnly.FromDateTime(entries[at].At.UtcDateTime));
            ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, (entry, day), out _);
            grouped[at] = new(entry, group ??= new(entry, day));
        }

        return grouped;
    }

    private sealed class Alike : IEqualityComparer<(JournalEntry Entry, DateOnly Day)>
    {
        public static readonly Alike Comparer = new();

        public bool Equals((JournalEntry Entry, DateOnly Day) x, (JournalEntry Entry, DateOnly Day) y) =>
            ReferenceEquals(x.Entry.Accounts, y.Entry.Accounts) && ReferenceEquals(x.Entry.Windows, y.Entry.Windows) && x.Day == y.Day
            && x.Entry.Debit == y.Entry.Debit && x.Entry.Credit == y.Entry.Credit && x.Entry.EdgeId == y.Entry.EdgeId && x.Entry.Price == y.Entry.Price;

        public int GetHashCode((JournalEntry Entry, DateOnly Day) obj) =>
            HashCode.Combine(RuntimeHelpers.GetHashCode(obj.Entry.Accounts), RuntimeHelpers.GetHashCode(obj.Entry.Windows), obj.Day.DayNumber);
    }
}

/// <summary>An entry, and those that it shares its terms with.</summary>
internal readonly record struct GroupedEntry(JournalEntry Entry, EntryGroup Group);
