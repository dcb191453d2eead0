using Gateway.Contracts;

namespace Gateway.Ledger.Budgets;

/// <summary>What Ledger accepts from an edge.</summary>
internal static class EnsureRules
{
    public const int BudgetsMax = 1_000;

    /// <summary>What is wrong with the question; null when nothing is.</summary>
    public static string? Refusal(EnsureBudgets asked)
    {
        if (string.IsNullOrEmpty(asked.EdgeId) || asked.EdgeId.Length > 256)
        {
            return "edgeId is missing or longer than 256 characters.";
        }

        if (asked.Budgets is not { Length: > 0 and <= BudgetsMax })
        {
            return $"budgets must hold 1 to {BudgetsMax} budgets.";
        }

        foreach (var (definition, window, granted) in asked.Budgets)
        {
            if (definition.Id != window.BudgetId || definition.Period != window.Period)
            {
                return $"The window of budget '{definition.Id}' is another budget's.";
            }

            if (definition.Limit < Money.Zero || granted < Money.Zero)
            {
                return $"Budget '{definition.Id}' has a negative limit or holding.";
            }

            if (definition.Increase < Money.Zero || definition.Increase is null != definition.IncreaseUntil is null)
            {
                return $"Budget '{definition.Id}' has a negative increase, or one without its end.";
            }

            if (definition.Id.AsSpan().ContainsAny('\0', '\n') || definition.Id.Length is 0 or > 1_024)
            {
                return "A budget's id is empty, too long, or has a line feed.";
            }

            if (definition.Period is not null && (window.Start is null || window.End is null || !BudgetPeriod.TryParse(definition.Period, out _)))
            {
                return $"Budget '{definition.Id}' has the period '{definition.Period}' and a window without start or end, or the period is none of 30s 30m 24h 7d 30d 1mo.";
            }
        }

        return null;
    }
}
