using System.Collections.Concurrent;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Admission.Access;

/// <summary>A key as the edge uses it: the snapshot, and what follows from it ready at hand.</summary>
internal sealed class Caller(
    AccessSnapshot snapshot, BudgetSlot[] budgets, RateGate[] gates, ExpectationBook expectations, (string Model, BudgetSlot Slot)[]? modelBudgets = null)
{
    private const int GrantsMax = 1_024;

    private readonly ConcurrentDictionary<string, ModelGrant> grants = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Asked, string Group), BudgetSlot[]> budgetsOfModels = new();
    private Shares? shares;

    public AccessSnapshot Snapshot { get; } = snapshot;

    /// <summary>The budgets that every request of this key is under.</summary>
    public BudgetSlot[] Budgets { get; } = budgets;

    /// <summary>The rate limits that every request of this key is under.</summary>
    public RateGate[] Gates { get; } = gates;

    /// <summary>Whose requests these are, as budgets name them.</summary>
    public string[] Owners { get; } = snapshot.Owners();

    /// <summary>Whose what it stores at a provider is: a team works on one thing together; without a team it is the user's, and a key of nobody's stands for itself.</summary>
    public string Owner { get; } = snapshot switch
    {
        { TeamId: { } team } => $"team/{team}",
        { UserId: { } user } => $"user/{user}",
        _ => $"key/{snapshot.KeyId}",
    };

    /// <summary>
    /// The budgets that a request of this key to a model is under: those of every request, and those for that model, under the name that
    /// was asked for or the one that it leads to.
    /// </summary>
    public BudgetSlot[] BudgetsFor(string asked, string group)
    {
        if (modelBudgets is not { Length: > 0 })
        {
            return Budgets;
        }

        if (budgetsOfModels.TryGetValue((asked, group), out var known))
        {
            return known;
        }

        BudgetSlot[] all = [.. Budgets, .. modelBudgets.Where(budget => ModelPattern.Matches(budget.Model, group) || ModelPattern.Matches(budget.Model, asked)).Select(static budget => budget.Slot)];
        return budgetsOfModels.Count < GrantsMax ? budgetsOfModels.GetOrAdd((asked, group), all) : all;
    }

    /// <summary>The shared budgets that may count this key's requests: looked through once for each set of definitions.</summary>
    public SharedBudget[] SharedIn(DefinedBudgetSet set)
    {
        var known = Volatile.Read(ref shares);
        if (known?.Of != set)
        {
            known = new Shares(set, [.. set.Shared.Where(budget => budget.MayCount(Owners))]);
            Volatile.Write(ref shares, known);
        }

        return known.Budgets;
    }

    /// <summary>Whether the key may be used at this instant, else the error's code.</summary>
    public string? Refusal(DateTimeOffset now) => Snapshot.Status switch
    {
        KeyStatus.Blocked => "api_key_blocked",
        KeyStatus.Expired => "api_key_expired",
        _ when Snapshot.ExpiresAt <= now => "api_key_expired",
        _ => null,
    };

    /// <summary>What this caller asks for by <paramref name="model"/>: the group and whether it is granted; null when there is no such model.</summary>
    public ModelGrant? Find(string model, RoutingTable table)
    {
        if (grants.TryGetValue(model, out var known) && known.Table == table)
        {
            return known;
        }

        if (table.Find(model) is not { } group)
        {
            return null;
        }

        if (Snapshot.Credentials is { Count: > 0 } credentials)
        {
            group = table.With(group, credentials);
        }

        var grant = new ModelGrant(table, group, MayCall(model) || MayCall(group.Name), expectations.For(Snapshot.KeyId, group.Name));
        if (grants.Count < GrantsMax)
        {
            grants[model] = grant;
        }

        return grant;
    }

    /// <summary>Whether a public name is granted.</summary>
    public bool MayCall(string model) => Snapshot.Models is not { } models || Array.Exists(models, granted => ModelPattern.Matches(granted, model));

    private sealed record Shares(DefinedBudgetSet Of, SharedBudget[] Budgets);
}

/// <summary>A model as one caller sees it.</summary>
/// <param name="Table">The routing table that it was looked up in.</param>
/// <param name="Group">The deployments.</param>
/// <param name="Granted">Whether the caller may use it.</param>
/// <param name="Expectation">What its requests have cost.</param>
internal sealed record ModelGrant(RoutingTable Table, ModelGroup Group, bool Granted, CostExpectation Expectation);
