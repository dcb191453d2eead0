using System.Collections.Concurrent;
using System.Collections.Frozen;
using Gateway.Configuration;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>A budget that several share, and whose requests count in it.</summary>
internal sealed record SharedBudget(BudgetShare Share, BudgetSlot Slot)
{
    private readonly bool namesEndUsers = Array.Exists(Share.Owners, static owner => BudgetId.ScopeOf(owner) == BudgetId.EndUserScope);

    /// <summary>Whether it may count requests of somebody with these names; who the end user is, a request says.</summary>
    public bool MayCount(string[] owners) => namesEndUsers || Share.CoversOwner(owners);

    /// <summary>Whether it counts a request, as far as that is known before a target is chosen.</summary>
    public bool Counts(string[] owners, string? endUser, string[] tags, string model) =>
        (Share.CoversOwner(owners) || (namesEndUsers && endUser is not null && Share.CoversOwner([BudgetId.Of(BudgetId.EndUserScope, endUser)])))
        && Share.CoversTags(tags)
        && (Share.Models.Length == 0 || Array.Exists(Share.Models, pattern => ModelPattern.Matches(pattern, model)));

    /// <summary>Whether it counts only what some targets answer: then it is reserved with the target.</summary>
    public bool HangsOnTarget => Share.Targets.Length > 0;

    public bool CountsTarget(string provider, string deployment) => Array.Exists(
        Share.Targets, target => target == BudgetId.Of(BudgetId.ProviderScope, provider) || target == BudgetId.Of(BudgetId.DeploymentScope, deployment));
}

/// <summary>The budgets that administrators made, ready to be found for a request. Never changed; replaced as a whole.</summary>
internal sealed class DefinedBudgetSet
{
    private const string EveryEndUser = BudgetId.EndUserScope + "/*";
    private const int EndUsersMax = 100_000;

    private readonly ConcurrentDictionary<string, BudgetSlot[]> endUsers = new(StringComparer.Ordinal);
    private readonly BudgetDefinition[] ofEveryEndUser;
    private readonly Func<BudgetDefinition, BudgetSlot> slotOf;
    private readonly FrozenDictionary<string, BudgetSlot[]> named;

    public DefinedBudgetSet(BudgetDefinition[] definitions, Func<BudgetDefinition, BudgetSlot> slotOf)
    {
        this.slotOf = slotOf;
        Definitions = definitions;
        named = definitions
            .Where(static definition => definition.Share is null && definition.Id != EveryEndUser)
            .GroupBy(static definition => definition.Id, StringComparer.Ordinal)
            .ToFrozenDictionary(static group => group.Key, group => group.Select(slotOf).ToArray(), StringComparer.Ordinal);
        Shared = [.. definitions.Where(static definition => definition.Share is not null).Select(definition => new SharedBudget(definition.Share!, slotOf(definition)))];
        // Slots are made of it when end users come: what is wrong with it must come to light before.
        ofEveryEndUser = [.. definitions.Where(static definition => definition.Id == EveryEndUser)];
        Array.ForEach(ofEveryEndUser, static definition => definition.WindowAt(DateTimeOffset.UnixEpoch));
    }

    public BudgetDefinition[] Definitions { get; }

    public SharedBudget[] Shared { get; }

    public bool IsEmpty => Definitions.Length == 0;

    public ReadOnlySpan<BudgetSlot> Of(string id) => named.TryGetValue(id, out var slots) ? slots : [];

    /// <summary>An end user's budgets: those made for it by name, else its own of the size that everybody has.</summary>
    public ReadOnlySpan<BudgetSlot> OfEndUser(string endUser)
    {
        var id = BudgetId.Of(BudgetId.EndUserScope, endUser);
        if (named.TryGetValue(id, out var slots) || ofEveryEndUser.Length == 0)
        {
            return slots;
        }

        if (endUsers.TryGetValue(endUser, out slots))
        {
            return slots;
        }

        if (endUsers.Count >= EndUsersMax)
        {
            endUsers.Clear();
        }

        return endUsers.GetOrAdd(endUser, [.. ofEveryEndUser.Select(definition => slotOf(definition with { Id = id }))]);
    }
}
