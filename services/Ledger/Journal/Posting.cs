using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Books entries in group commits. A transaction that a record makes impossible is halved until that record stands alone; it is then kept
/// aside, and the others are booked. While the database is away the writer waits (<see cref="WritePatience"/>).
/// </summary>
internal sealed class Posting(
    JournalWriter writer, Partitions partitions, RejectedRecords rejected, WritePatience patience, PostedTotals posted, LedgerMetrics metrics,
    IOptions<LedgerOptions> options, TimeProvider clock, ILogger<Posting> logger)
    : GroupWriter<JournalEntry>(options.Value.RecordsMaxPerTransaction, options.Value.Prefetch, options.Value.GatherFor, clock)
{
    protected override Task WriteGroupAsync(IReadOnlyList<JournalEntry> items, CancellationToken cancellation) => BookAllAsync([.. items], cancellation);

    private async Task BookAllAsync(JournalEntry[] entries, CancellationToken cancellation)
    {
        if (entries.Length == 0)
        {
            return;
        }

        try
        {
            await patience.WriteAsync(() => BookAsync(entries, cancellation), cancellation);
        }
        catch (Exception error) when (WriteFailures.Of(error) == WriteFailure.Poison)
        {
            if (entries.Length == 1)
            {
                // A sum that overflows here, or there.
                var reason = (error as PostgresException)?.SqlState ?? PostgresErrorCodes.NumericValueOutOfRange;
                metrics.Rejected(reason);
                logger.EntryRejected(entries[0].Id, reason);
                var record = JsonSerializer.SerializeToUtf8Bytes(entries[0]);
                await patience.WriteAsync(() => rejected.KeepAsync(entries[0].EdgeId ?? "", reason, record, cancellation), cancellation);
                return;
            }

            await BookAllAsync(entries[..(entries.Length / 2)], cancellation);
            await BookAllAsync(entries[(entries.Length / 2)..], cancellation);
        }
    }

    private async Task BookAsync(JournalEntry[] entries, CancellationToken cancellation)
    {
        var started = Clock.GetTimestamp();
        await partitions.EnsureAsync(entries.Select(entry => entry.At), cancellation);
        var result = await writer.AddAsync(entries, cancellation);
        metrics.Booked(result, Clock.GetElapsedTime(started));
        foreach (var id in result.Conflicts)
        {
            logger.RepeatedWithAnotherAmount(id);
        }

        posted.Tell(result.Windows);
    }
}
