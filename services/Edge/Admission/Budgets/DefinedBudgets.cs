using System.Collections.Concurrent;
using System.Collections.Frozen;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// The budgets that administrators made at Ledger (<c>/budget/new</c>): of the gateway, an end user, a tag, a model, a provider or a
/// deployment. They are asked for every few seconds; while Ledger does not answer, the last ones known stay in force.
/// <c>end_user/*</c> is every end user's own budget of that size, from the first request on.
/// </summary>
internal sealed class DefinedBudgets(LedgerClient ledger, BudgetLeases leases, EdgeLog log, TimeProvider time) : BackgroundService
{
    private const string EveryEndUser = BudgetId.EndUserScope + "/*";
    private const int EndUsersMax = 100_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, BudgetSlot[]> endUsers = new(StringComparer.Ordinal);
    private FrozenDictionary<string, BudgetSlot[]> defined = FrozenDictionary<string, BudgetSlot[]>.Empty;
    private BudgetDefinition[] known = [];

    /// <summary>Adds the budgets that a request is under beside its key's: of the gateway, its end user, its tags and its model.</summary>
    public BudgetSlot[] With(BudgetSlot[] ofKey, string? endUser, string[] tags, string model)
    {
        var all = Volatile.Read(ref defined);
        if (all.Count == 0)
        {
            return ofKey;
        }

        var slots = new List<BudgetSlot>(ofKey);
        Add(slots, all, BudgetId.Gateway);
        Add(slots, all, BudgetId.Of("model", model));
        foreach (var tag in tags)
        {
            Add(slots, all, BudgetId.Of("tag", tag));
        }

        if (endUser is { Length: > 0 })
        {
            if (!Add(slots, all, BudgetId.Of(BudgetId.EndUserScope, endUser)) && all.ContainsKey(EveryEndUser))
            {
                slots.AddRange(OfEndUser(endUser));
            }
        }

        return slots.Count == ofKey.Length ? ofKey : [.. slots];
    }

    /// <summary>Adds the budgets of a target.</summary>
    public BudgetSlot[] With(BudgetSlot[] configured, string provider, string deployment)
    {
        var all = Volatile.Read(ref defined);
        if (all.Count == 0)
        {
            return configured;
        }

        var slots = new List<BudgetSlot>(configured);
        Add(slots, all, BudgetId.Of(BudgetId.ProviderScope, provider));
        Add(slots, all, BudgetId.Of(BudgetId.DeploymentScope, deployment));
        return slots.Count == configured.Length ? configured : [.. slots];
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do
            {
                await RefreshAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        BudgetDefinition[] definitions;
        try
        {
            definitions = await ledger.DefinitionsAsync(cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or System.Text.Json.JsonException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            log.DefinitionsUnavailable(error);
            return;
        }

        if (definitions.SequenceEqual(known))
        {
            return;
        }

        known = definitions;
        endUsers.Clear();
        Volatile.Write(ref defined, definitions
            .GroupBy(static definition => definition.Id, StringComparer.Ordinal)
            .ToFrozenDictionary(
                static group => group.Key,
                group => group.Key == EveryEndUser ? [] : group.Select(definition => new BudgetSlot(definition, leases, time)).ToArray(),
                StringComparer.Ordinal));
    }

    private BudgetSlot[] OfEndUser(string endUser)
    {
        if (endUsers.TryGetValue(endUser, out var slots))
        {
            return slots;
        }

        if (endUsers.Count >= EndUsersMax)
        {
            endUsers.Clear();
        }

        slots = [.. known.Where(static definition => definition.Id == EveryEndUser)
            .Select(definition => new BudgetSlot(definition with { Id = BudgetId.Of(BudgetId.EndUserScope, endUser) }, leases, time))];
        return endUsers.GetOrAdd(endUser, slots);
    }

    private static bool Add(List<BudgetSlot> slots, FrozenDictionary<string, BudgetSlot[]> all, string id)
    {
        if (!all.TryGetValue(id, out var found))
        {
            return false;
        }

        slots.AddRange(found);
        return true;
    }
}
