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

    /// <summary>Why <paramref name="record"/> cannot be booked; null when it can.</summary>
    public static string? Refusal(UsageRecord record, DateTimeOffset now, TimeSpan ageMax)
    {
        if (record.Cost < Money.Zero && record.Corrects is null)
        {
            return "negative_cost";
        }

        if (record.RequestId == Guid.Empty)
        {
            return "no_request_id";
        }

        if (record.StartedAt > now + TimeSpan.FromDays(1) || record.StartedAt < now - ageMax)
        {
            return "time_out_of_range";
        }

        if (record.BudgetWindows.Length > WindowsMax)
        {
            return "too_many_windows";
        }

        return Names(record).All(IsName) && record.BudgetWindows.All(IsName) ? null : "bad_name";
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
            Accounts = [.. Accounts(record).Concat(record.BudgetWindows.Select(static window => Budgets.WindowName.Parse(window).BudgetId)).Distinct(StringComparer.Ordinal)],
            Windows = record.BudgetWindows.Length < 2 ? record.BudgetWindows : [.. record.BudgetWindows.Distinct(StringComparer.Ordinal)],
            EdgeId = record.Corrects is null && record.EdgeId.Length > 0 ? record.EdgeId : null,
            Price = record.Price,
            About = record.Corrects,
        };
    }

    /// <summary>A correction of one account (and of the windows of its budget) by <paramref name="change"/>.</summary>
    public static JournalEntry Adjustment(
        Guid id, DateTimeOffset at, string account, Money change, IReadOnlyList<string> windows, string reason, string author)
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

    public static JournalTotals Totals(IEnumerable<JournalEntry> entries)
    {
        var windows = new Dictionary<string, WindowTotal>(StringComparer.Ordinal);
        var windowEdges = new Dictionary<(string Window, string Edge), long>();
        var accountDays = new Dictionary<(string Account, DateOnly Day), AccountDayTotal>();
        foreach (var entry in entries)
        {
            var counts = entry.Counts.NanoDollars;
            var day = DateOnly.FromDateTime(entry.At.UtcDateTime);
            foreach (var window in entry.Windows)
            {
                var total = windows.GetValueOrDefault(window) ?? new(window, 0, 0);
                windows[window] = total with { Amount = checked(total.Amount + counts), Entries = total.Entries + 1 };
                if (entry.EdgeId is { } edge)
                {
                    windowEdges[(window, edge)] = checked(windowEdges.GetValueOrDefault((window, edge)) + counts);
                }
            }

            foreach (var account in entry.Accounts)
            {
                var total = accountDays.GetValueOrDefault((account, day)) ?? new(account, day, 0, 0);
                accountDays[(account, day)] = total with { Amount = checked(total.Amount + counts), Entries = total.Entries + 1 };
            }
        }

        return new(
            [.. windows.Values.OrderBy(total => total.WindowId, StringComparer.Ordinal)],
            [.. windowEdges.Select(pair => new WindowEdgeTotal(pair.Key.Window, pair.Key.Edge, pair.Value))
                .OrderBy(total => total.WindowId, StringComparer.Ordinal).ThenBy(total => total.EdgeId, StringComparer.Ordinal)],
            [.. accountDays.Values.OrderBy(total => total.Account, StringComparer.Ordinal).ThenBy(total => total.Day)]);
    }

    // The provider's account shows what is owed to it; everybody else's what they used. Beside these, every budget charged has one of its own name.
    private static IEnumerable<string> Accounts(UsageRecord record)
    {
        yield return BudgetId.Gateway;
        yield return BudgetId.Of(BudgetId.KeyScope, record.KeyId);
        yield return BudgetId.Of(BudgetId.ProviderScope, record.Provider);
        yield return BudgetId.Of("model", record.Model);
        if (record.UserId is { Length: > 0 } user)
        {
            yield return BudgetId.Of(BudgetId.UserScope, user);
        }

        if (record.TeamId is { Length: > 0 } team)
        {
            yield return BudgetId.Of(BudgetId.TeamScope, team);
        }

        if (record.OrganizationId is { Length: > 0 } organization)
        {
            yield return BudgetId.Of(BudgetId.OrganizationScope, organization);
        }

        if (record.EndUser is { Length: > 0 } endUser)
        {
            yield return BudgetId.Of(BudgetId.EndUserScope, endUser);
        }
    }

    private static IEnumerable<string> Names(UsageRecord record) =>
        [record.EdgeId.Length == 0 ? "-" : record.EdgeId, record.KeyId, record.Provider, record.Model, record.UserId ?? "-", record.TeamId ?? "-", record.OrganizationId ?? "-", record.EndUser ?? "-", record.Price ?? "-"];

    // PostgreSQL takes no NUL in a text, and a line feed separates names on their way there.
    private static bool IsName(string? name) => name is { Length: > 0 and <= NameMax } && !name.AsSpan().ContainsAny('\0', '\n');
}
