using System.Collections.Concurrent;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Admission.Access;

/// <summary>A key as the edge uses it: the snapshot, and what follows from it ready at hand.</summary>
internal sealed class Caller(AccessSnapshot snapshot, BudgetSlot[] budgets, RateGate[] gates, ExpectationBook expectations)
{
    private const int GrantsMax = 1_024;

    private readonly ConcurrentDictionary<string, ModelGrant> grants = new(StringComparer.Ordinal);

    public AccessSnapshot Snapshot { get; } = snapshot;

    /// <summary>The budgets that every request of this key is under.</summary>
    public BudgetSlot[] Budgets { get; } = budgets;

    /// <summary>The rate limits that every request of this key is under.</summary>
    public RateGate[] Gates { get; } = gates;

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

        var grant = new ModelGrant(table, group, MayCall(model) || MayCall(group.Name), expectations.For(Snapshot.KeyId, group.Name));
        if (grants.Count < GrantsMax)
        {
            grants[model] = grant;
        }

        return grant;
    }

    /// <summary>Whether a public name is granted.</summary>
    public bool MayCall(string model) => Snapshot.Models is not { } models || Array.Exists(models, granted => ModelPattern.Matches(granted, model));
}

/// <summary>A model as one caller sees it.</summary>
/// <param name="Table">The routing table that it was looked up in.</param>
/// <param name="Group">The deployments.</param>
/// <param name="Granted">Whether the caller may use it.</param>
/// <param name="Expectation">What its requests have cost.</param>
internal sealed record ModelGrant(RoutingTable Table, ModelGroup Group, bool Granted, CostExpectation Expectation);
