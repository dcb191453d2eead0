using System.Runtime.InteropServices;
using Gateway.Contracts;

namespace Gateway.Ledger.Journal;

/// <summary>What one transaction adds to each total; every list is sorted, so that two writers take their locks in one order.</summary>
internal sealed record JournalTotals(
    IReadOnlyList<WindowTotal> Windows, IReadOnlyList<WindowEdgeTotal> WindowEdges, IReadOnlyList<AccountDayTotal> AccountDays);

internal sealed record WindowTotal(string WindowId, long Amount, long Entries);

internal sealed record WindowEdgeTotal(string WindowId, string EdgeId, long Amount);

internal sealed record AccountDayTotal(string Account, DateOnly Day, long Amount, long Entries);

/// <summary>How a record becomes an entry, what is refused, and what entries add up to. No I/O.</summary>
internal static class JournalRules
{
    private const int NameMax = 1_024;
    private const int WindowsMax = 64;

    /// <summary>Why the numbers of <paramref name="record"/> cannot be booked; null when they can.</summary>
    public static string? RefusalOfNumbers(UsageRecord record, DateTimeOffset now, TimeSpan ageMax)
    {
        if (record.Cost < Money.Zero && record.Corrects is null)
        {
            return "negative_cost";
        }

        if (record.Cost.NanoDollars == long.MinValue)
        {
            return "cost_out_of_range";
        }

        if (record.RequestId == Guid.Empty)
        {
            return "no_request_id";
        }

        return record.StartedAt > now + TimeSpan.FromDays(1) || record.StartedAt < now - ageMax ? "time_out_of_range" : null;
    }

    /// <summary>Why what <paramref name="record"/> names cannot be booked; null when it can.</summary>
    public static string? RefusalOfNames(UsageRecord record)
    {
        if (record.BudgetWindows.Length > WindowsMax)
        {
            return "too_many_windows";
        }

        var named = IsName(record.KeyId) && IsName(record.Provider) && IsName(record.Model) && IsNameOrNone(record.UserId) && IsNameOrNone(record.TeamId)
            && IsNameOrNone(record.OrganizationId) && IsNameOrNone(record.EndUser) && IsNameOrNone(record.Price) && (record.EdgeId.Length == 0 || IsName(record.EdgeId))
            && Array.TrueForAll(record.BudgetWindows, IsName);
        return named ? null : "bad_name";
    }

    /// <summary>The entry of a request: its key owes its provider. A correction below zero is owed back, and no correction is an edge's: no lease was for it.</summary>
    public static JournalEntry FromUsage(UsageRecord record)
    {
        var key = BudgetId.Of(BudgetId.KeyScope, record.KeyId);
        var provider = BudgetId.Of(BudgetId.ProviderScope, record.Provider);
        var takesBack = record.Cost < Money.Zero;
        return new()
        {
            At = record.StartedAt,
            Id = record.RequestId,
            Debit = takesBack ? provider : key,
            Credit = takesBack ? key : provider,
            Amount = takesBack ? -record.Cost : record.Cost,
            Reverses = takesBack,
            Accounts = AccountsOf(record, key, provider),
            Windows = record.BudgetWindows.Length < 2 ? record.BudgetWindows : [.. record.BudgetWindows.Distinct(StringComparer.Ordinal)],
            EdgeId = record.Corrects is null && record.EdgeId.Length > 0 ? record.EdgeId : null,
            Price = record.Price,
            About = record.Corrects,
        };
    }

    /// <summary>A correction of one account (and of the windows of its budget) by <paramref name="change"/>.</summary>
    public static JournalEntry Adjustment(
        Guid id, DateTimeOffset at, string account, Money change, string[] windows, string reason, string author)
    {
        var takesBack = change < Money.Zero;
        const string Counterpart = "adjustment/gateway";
        return new()
        {
            At = at,
            Id = id,
            Kind = EntryKind.Adjustment,
            Debit = takesBack ? Counterpart : account,
            Credit = takesBack ? account : Counterpart,
            Amount = takesBack ? -change : change,
            Reverses = takesBack,
            Accounts = [account],
            Windows = windows,
            Reason = reason,
            Author = author,
        };
    }

    /// <exception cref="OverflowException">A total of them is more than 8 bytes can hold.</exception>
    public static JournalTotals Totals(IEnumerable<GroupedEntry> entries)
    {
        var groups = new Dictionary<EntryGroup, Sum>();
        foreach (var (entry, group) in entries)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(groups, group, out _).Add(new(entry.Counts.NanoDollars, 1));
        }

        var windows = new Dictionary<string, Sum>(StringComparer.Ordinal);
        var windowEdges = new Dictionary<(string Window, string Edge), Sum>();
        var accountDays = new Dictionary<(string Account, DateOnly Day), Sum>();
        foreach (var (group, sum) in groups)
        {
            foreach (var window in group.First.Windows)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(windows, window, out _).Add(sum);
                if (group.First.EdgeId is { } edge)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(windowEdges, (window, edge), out _).Add(sum);
                }
            }

            foreach (var account in group.First.Accounts)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(accountDays, (account, group.Day), out _).Add(sum);
            }
        }

        return new(
            [.. windows.Select(static pair => new WindowTotal(pair.Key, pair.Value.Amount, pair.Value.Entries)).OrderBy(static total => total.WindowId, StringComparer.Ordinal)],
            [.. windowEdges.Select(static pair => new WindowEdgeTotal(pair.Key.Window, pair.Key.Edge, pair.Value.Amount))
                .OrderBy(static total => total.WindowId, StringComparer.Ordinal).ThenBy(static total => total.EdgeId, StringComparer.Ordinal)],
            [.. accountDays.Select(static pair => new AccountDayTotal(pair.Key.Account, pair.Key.Day, pair.Value.Amount, pair.Value.Entries))
                .OrderBy(static total => total.Account, StringComparer.Ordinal).ThenBy(static total => total.Day)]);
    }

    // The provider's account shows what is owed to it; everybody else's what they used. Beside these, every budget charged has one of its own name.
    private static string[] AccountsOf(UsageRecord record, string key, string provider)
    {
        var accounts = new List<string>(8 + record.BudgetWindows.Length);
        Add(BudgetId.Gateway);
        Add(key);
        Add(provider);
        Add(BudgetId.Of("model", record.Model));
        AddOwner(BudgetId.UserScope, record.UserId);
        AddOwner(BudgetId.TeamScope, record.TeamId);
        AddOwner(BudgetId.OrganizationScope, record.OrganizationId);
        AddOwner(BudgetId.EndUserScope, record.EndUser);
        foreach (var window in record.BudgetWindows)
        {
            Add(Budgets.WindowName.Parse(window).BudgetId);
        }

        return [.. accounts];

        void AddOwner(string scope, string? owner)
        {
            if (owner is { Length: > 0 })
            {
                Add(BudgetId.Of(scope, owner));
            }
        }

        void Add(string account)
        {
            if (!accounts.Contains(account))
            {
                accounts.Add(account);
            }
        }
    }

    // PostgreSQL takes no NUL in a text, and a line feed separates names on their way there.
    private static bool IsName(string? name) => name is { Length: > 0 and <= NameMax } && !name.AsSpan().ContainsAny('\0', '\n');

    private static bool IsNameOrNone(string? name) => name is null || IsName(name);

    private record struct Sum(long Amount, long Entries)
    {
        public void Add(Sum more) => (Amount, Entries) = (checked(Amount + more.Amount), Entries + more.Entries);
    }
}
