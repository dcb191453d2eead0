using Gateway.Contracts;
using Gateway.Ledger.Accounts;

namespace Gateway.Ledger.Budgets;

/// <summary>How the budgets stand that every request of a key is under.</summary>
internal sealed class BudgetsAboveKey(BudgetTable table, AccountTable accounts)
{
    public async Task<BudgetState[]> FindAsync(BudgetsAbove asked, CancellationToken cancellation)
    {
        string[] others = [BudgetId.Gateway, .. asked.Tags.Select(tag => BudgetId.Of(BudgetId.TagScope, tag))];
        var definitions = asked.Own.Concat((await table.OfAsync(others, cancellation)).Select(row => row.Definition));
        var open = await accounts.OpenWindowsAsync(definitions, cancellation);
        return [.. open.Select(budget => new BudgetState(
            budget.BudgetId, budget.Window.Period, budget.State.Limit, budget.State.Spent, budget.State.Leased, budget.Window.End))];
    }
}
