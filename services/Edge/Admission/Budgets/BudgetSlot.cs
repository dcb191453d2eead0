using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>One budget that a caller is under: leads to the lease on the window that is open now.</summary>
internal sealed class BudgetSlot(BudgetDefinition definition, BudgetLeases leases, TimeProvider time)
{
    private readonly bool periodic = definition.Period is not null;
    private BudgetLease lease = leases.Get(definition);

    public BudgetDefinition Definition { get; } = definition;

    /// <summary>Whether it is the key's own budget.</summary>
    public bool IsOfKey { get; } = BudgetId.ScopeOf(definition.Id) == BudgetId.KeyScope;

    /// <summary>The lease to charge now. A new window or a lease that was forgotten meanwhile is looked up again.</summary>
    public BudgetLease Current()
    {
        var known = Volatile.Read(ref lease);
        return known.Closed || (periodic && known.Window.End <= time.GetUtcNow()) ? Renew() : known;
    }

    private BudgetLease Renew()
    {
        var found = leases.Get(Definition);
        Volatile.Write(ref lease, found);
        return found;
    }
}
