using Gateway.Contracts;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// The budgets that administrators made at Ledger (<c>/budget/new</c>): of the gateway, an end user, a tag, a model, a provider or a
/// deployment, and those that several share. They are asked for every few seconds; while Ledger does not answer, the last ones known stay in
/// force, also over a restart (<see cref="KnownBudgets"/>). <c>end_user/*</c> is every end user's own budget of that size, from the first request on.
/// </summary>
internal sealed class DefinedBudgets(LedgerClient ledger, BudgetLeases leases, EdgeIdentity identity, EdgeLog log, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    /// <summary>While nothing is known nothing is served: then it is asked for more often.</summary>
    private static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(500);

    private readonly KnownBudgets file = new(identity);
    private DefinedBudgetSet? defined;
    private bool kept;

    /// <summary>Whether it is known which budgets there are. Until then no request may be served: nobody could say what it is under.</summary>
    public bool Known => Volatile.Read(ref defined) is not null;

    /// <summary>All of them, as they are in force; none while nothing is known.</summary>
    public IReadOnlyList<BudgetDefinition> Definitions => Volatile.Read(ref defined)?.Definitions ?? [];

    private DefinedBudgetSet All => Volatile.Read(ref defined) ?? throw new InvalidOperationException("It is not known yet which budgets there are.");

    /// <summary>
    /// The budgets that a request to a model is under beside those of its caller (<paramref name="ofCaller"/>): the gateway's, its end
    /// user's, its tags', the model's, and those that it shares.
    /// </summary>
    public BudgetSlot[] With(BudgetSlot[] ofCaller, RequestExchange exchange, string model)
    {
        var all = All;
        if (all.IsEmpty)
        {
            return ofCaller;
        }

        var slots = new List<BudgetSlot>(ofCaller);
        slots.AddRange(all.Of(BudgetId.Gateway));
        slots.AddRange(all.Of(BudgetId.Of(BudgetId.ModelScope, model)));
        foreach (var tag in exchange.Tags)
        {
            slots.AddRange(all.Of(BudgetId.Of(BudgetId.TagScope, tag)));
        }

        if (exchange.EndUser is { } endUser)
        {
            slots.AddRange(all.OfEndUser(endUser));
        }

        foreach (var shared in exchange.Caller.SharedIn(all))
        {
            if (!shared.HangsOnTarget && shared.Counts(exchange.Caller.Owners, exchange.EndUser, exchange.Tags, model))
            {
                slots.Add(shared.Slot);
            }
        }

        return slots.Count == ofCaller.Length ? ofCaller : [.. slots];
    }

    /// <summary>The budgets of a target beside those that the configuration gives it.</summary>
    public BudgetSlot[] WithTarget(BudgetSlot[] configured, RequestExchange exchange, string model, string provider, string deployment)
    {
        var all = All;
        if (all.IsEmpty)
        {
            return configured;
        }

        var slots = new List<BudgetSlot>(configured);
        slots.AddRange(all.Of(BudgetId.Of(BudgetId.ProviderScope, provider)));
        slots.AddRange(all.Of(BudgetId.Of(BudgetId.DeploymentScope, deployment)));
        foreach (var shared in exchange.Caller.SharedIn(all))
        {
            if (shared.HangsOnTarget && shared.CountsTarget(provider, deployment) && shared.Counts(exchange.Caller.Owners, exchange.EndUser, exchange.Tags, model))
            {
                slots.Add(shared.Slot);
            }
        }

        return slots.Count == configured.Length ? configured : [.. slots];
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (file.Read() is { } definitions)
            {
                Use(definitions);
                kept = true;
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            log.KnownBudgetsUnreadable(file.Path, error);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(FirstInterval);
        try
        {
            do
            {
                await RefreshAsync(stoppingToken);
                timer.Period = Known ? Interval : FirstInterval;
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
        catch (Exception error) when (error is not OutOfMemoryException && !(error is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            log.DefinitionsUnavailable(error);
            return;
        }

        try
        {
            // The revision rises with every change, and starts with the clock: a budget made anew under an old name is another one.
            if (defined is null || !definitions.Select(Version).SequenceEqual(defined.Definitions.Select(Version)))
            {
                Use(definitions);
                kept = false;
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // A period or a time zone that this machine does not know: none of them comes into force rather than all but one.
            log.DefinitionsUnusable(error);
            return;
        }

        try
        {
            if (!kept)
            {
                file.Write(definitions);
                kept = true;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.KnownBudgetsUnwritten(file.Path, error);
        }

        static (string Id, string? Period, long Revision) Version(BudgetDefinition definition) => (definition.Id, definition.Period, definition.Revision);
    }

    private void Use(BudgetDefinition[] definitions) =>
        Volatile.Write(ref defined, new DefinedBudgetSet(definitions, definition => new BudgetSlot(definition, leases, time)));
}
