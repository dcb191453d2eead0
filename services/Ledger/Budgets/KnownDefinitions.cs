using Gateway.Contracts;
using Gateway.Ledger.Duties;

namespace Gateway.Ledger.Budgets;

/// <summary>
/// The administrators' budgets in memory: every edge asks for them every few seconds, and they change when an administrator changes one.
/// Read anew when the database says so (Schema/0007), once a minute all the same, and each time while this process could not hear of it.
/// </summary>
internal sealed class KnownDefinitions(BudgetTable table, Duty duty, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim one = new(1, 1);
    private Known? known;

    public async Task<BudgetDefinition[]> GetAsync(CancellationToken cancellation)
    {
        if (Current() is { } current)
        {
            return current;
        }

        await one.WaitAsync(cancellation);
        try
        {
            if (Current() is { } meanwhile)
            {
                return meanwhile;
            }

            // Taken before the look: a change during it makes the next question look again.
            var (changes, readAt) = (duty.BudgetsChanged, clock.GetTimestamp());
            var definitions = await table.AdministratorsAsync(cancellation);
            known = new(definitions, changes, readAt);
            return definitions;
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    private BudgetDefinition[]? Current() =>
        known is { } kept && duty.Listens && kept.Changes == duty.BudgetsChanged && clock.GetElapsedTime(kept.ReadAt) < KeptFor ? kept.Definitions : null;

    private sealed record Known(BudgetDefinition[] Definitions, long Changes, long ReadAt);
}
