using System.Globalization;
using Gateway.Contracts;

namespace Gateway.Ledger.Budgets;

/// <summary>Takes a window's id apart again: <c>user/ann@example.com@1d@1764547200</c> is the budget <c>user/ann@example.com</c>.</summary>
internal readonly record struct WindowName(string BudgetId, string? Period, DateTimeOffset? Start)
{
    public static WindowName Parse(string windowId)
    {
        var last = windowId.LastIndexOf('@');
        var before = last > 0 ? windowId.LastIndexOf('@', last - 1) : -1;
        return before > 0
            && long.TryParse(windowId.AsSpan(last + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            && seconds is > -62_135_596_800 and < 253_402_300_800
            && BudgetPeriod.TryParse(windowId[(before + 1)..last], out _)
                ? new(windowId[..before], windowId[(before + 1)..last], DateTimeOffset.FromUnixTimeSeconds(seconds))
                : new(windowId, null, null);
    }
}
