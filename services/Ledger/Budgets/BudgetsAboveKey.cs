using Gateway.Contracts;
using Gateway.Ledger.Accounts;

namespace Gateway.Ledger.Budgets;

/// <summary>How the budgets stand that every request of a key is under.</summary>
internal sealed class BudgetsAboveKey(BudgetTable table, AccountTable accounts)
{
    public async Task<BudgetState[]> FindAsync(BudgetsAbove asked, CancellationToken cancellation)
    {
        string[] others = [BudgetId.Gateway, .. asked.Tags.Select(tag => BudgetId.Of(BudgetId.TagScope, tag))];
        var owners = asked.Owners.ToHashSet(StringComparer.Ordinal);
        // Those that hang on something that only a request says (model, end user, target) are above some requests of the key, not above the key.
        var shared = (await table.AdministratorsAsync(cancellation)).Where(definition => definition.Share is { Models: [], Targets: [] } share
            && share.NamesSomebody() && share.CoversOwner(owners) && share.CoversTags(asked.Tags));
        var definitions = asked.Own.Concat((await table.OfAsync(others, cancellation)).Select(row => row.Definition)).Concat(shared);
        var open = await accounts.OpenWindowsAsync(definitions, cancellation);
        return [.. open.Select(budget => new BudgetState(
            budget.BudgetId, budget.Window.Period, budget.State.Limit, budget.State.Spent, budget.State.Leased, budget.Window.End))];
    }
}
