using Gateway.Auth.Access;
using Gateway.Auth.Keys;
using Gateway.Contracts;

namespace Gateway.Auth.Spend;

/// <summary>How a budget stands, as a key's answer shows it. Amounts are dollars.</summary>
/// <param name="BudgetId">Whose budget: <c>team/payments</c>, <c>key/…</c>, <c>gateway/all</c>.</param>
/// <param name="Scope">The part before the slash.</param>
/// <param name="Owner">The part after it.</param>
/// <param name="MaxBudget">What its window may spend.</param>
/// <param name="Spend">What is booked in the window.</param>
/// <param name="Left">What is not.</param>
/// <param name="Held">How much of what is left edges hold for requests under way and to come.</param>
/// <param name="BudgetDuration">How often it starts again; null for never.</param>
/// <param name="BudgetResetAt">When it does.</param>
internal sealed record BudgetStanding(
    string BudgetId, string Scope, string Owner, decimal MaxBudget, decimal Spend, decimal Left, decimal Held, string? BudgetDuration, DateTimeOffset? BudgetResetAt)
{
    /// <summary>The one with least left; null when none of them has a limit.</summary>
    public static BudgetStanding? Tightest(IEnumerable<BudgetState> budgets) => budgets
        .Where(static budget => budget.Limit != Money.MaxValue && !Contracts.BudgetId.ScopeOf(budget.BudgetId).EndsWith(Contracts.BudgetId.ModelScopeSuffix, StringComparison.Ordinal))
        .OrderBy(static budget => budget.Limit.NanoDollars - (decimal)budget.Spent.NanoDollars)
        .Select(Of)
        .FirstOrDefault();

    public static BudgetStanding Of(BudgetState budget) => new(
        budget.BudgetId, Contracts.BudgetId.ScopeOf(budget.BudgetId), Contracts.BudgetId.OwnerOf(budget.BudgetId), budget.Limit.ToDollars(), budget.Spent.ToDollars(),
        Math.Max(0, budget.Limit.ToDollars() - budget.Spent.ToDollars()), budget.Leased.ToDollars(), budget.Period, budget.ResetsAt?.ToUniversalTime());
}

/// <summary>Adds to a key's answer how the budgets above it stand.</summary>
internal static class BudgetStandings
{
    public static KeyView WithBudgets(this KeyView key, IReadOnlyCollection<BudgetState> above)
    {
        var own = ModelBudgets.IdOf(BudgetId.Of(BudgetId.KeyScope, key.Token), "");
        var models = above.Where(budget => budget.BudgetId.StartsWith(own, StringComparison.Ordinal)).ToArray();
        return key with
        {
            TightestBudget = BudgetStanding.Tightest(above),
            ModelMaxBudgetUsage = models.Length == 0 ? null : models.ToDictionary(budget => budget.BudgetId[own.Length..], BudgetStanding.Of, StringComparer.Ordinal),
        };
    }
}
