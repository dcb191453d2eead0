using Gateway.Contracts;

namespace Gateway.Ledger.Alerts;

/// <summary>A budget window, as alerts look at it.</summary>
internal sealed record WatchedWindow(string WindowId, string BudgetId, Money Limit, Money? SoftLimit, Money Spent, DateTimeOffset? Start, DateTimeOffset? End);

/// <summary>What has happened to a window; raised once.</summary>
/// <param name="Event">LiteLLM's word: <c>budget_crossed</c>, <c>threshold_crossed</c>, <c>soft_budget_crossed</c>, <c>projected_limit_exceeded</c>.</param>
/// <param name="Key">The word that is unique in the window: <c>threshold_crossed_80</c>.</param>
/// <param name="ProjectedSpend">What the window will have cost at its end; for a projection.</param>
/// <param name="ProjectedExceeded">When the limit will be reached; for a projection.</param>
internal sealed record BudgetAlert(string Event, string Key, string Message, Money? ProjectedSpend = null, DateTimeOffset? ProjectedExceeded = null);

/// <summary>Which alerts a window deserves now. No I/O; the same alert is named again and again, and raised once.</summary>
internal static class AlertRules
{
    private static readonly int[] s_thresholds = [50, 80, 95];

    // A projection from the first minutes of a month would be noise.
    private const decimal ProjectAfterPart = 0.1m;

    public static IEnumerable<BudgetAlert> Of(WatchedWindow window, DateTimeOffset now)
    {
        if (window.Limit <= Money.Zero)
        {
            yield break;
        }

        var part = (decimal)window.Spent.NanoDollars / window.Limit.NanoDollars;
        foreach (var threshold in s_thresholds.Where(threshold => part * 100 >= threshold))
        {
            yield return new("threshold_crossed", $"threshold_crossed_{threshold}", $"{threshold} % of the budget are spent: {window.Spent} of {window.Limit}.");
        }

        if (part >= 1)
        {
            yield return new("budget_crossed", "budget_crossed", $"The budget is spent: {window.Spent} of {window.Limit}. Requests are refused until it starts again or is raised.");
        }

        if (window.SoftLimit is { } soft && window.Spent >= soft)
        {
            yield return new("soft_budget_crossed", "soft_budget_crossed", $"The soft limit of {soft} is crossed: {window.Spent} are spent. Requests go on.");
        }

        if (part < 1 && Projection(window, now) is { } projected)
        {
            yield return new(
                "projected_limit_exceeded", "projected_limit_exceeded",
                $"At this pace the budget of {window.Limit} is spent on {projected.Exceeded:yyyy-MM-dd HH:mm} UTC, before it starts again on {window.End:yyyy-MM-dd HH:mm} UTC.",
                projected.Spend, projected.Exceeded);
        }
    }

    // Null for a pace at which the limit holds.
    private static (Money Spend, DateTimeOffset Exceeded)? Projection(WatchedWindow window, DateTimeOffset now)
    {
        if (window is not { Start: { } start, End: { } end } || window.Spent <= Money.Zero || now <= start || now >= end)
        {
            return null;
        }

        var (elapsed, whole) = ((decimal)(now - start).Ticks, (decimal)(end - start).Ticks);
        if (elapsed < whole * ProjectAfterPart)
        {
            return null;
        }

        var atEnd = window.Spent.NanoDollars * (whole / elapsed);
        if (atEnd <= window.Limit.NanoDollars)
        {
            return null;
        }

        // The quotient first, which is below 1 / ProjectAfterPart here: ticks times a limit of a thousand million dollars fit into no decimal.
        var untilLimit = elapsed * ((decimal)window.Limit.NanoDollars / window.Spent.NanoDollars);
        return (Money.FromNanoDollars(Math.Min(atEnd, long.MaxValue)), start + TimeSpan.FromTicks((long)untilLimit));
    }
}
