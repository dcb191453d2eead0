using System.Security.Cryptography;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Books entries in group commits. A transaction that a record makes impossible is halved until that record stands alone; it is then kept
/// aside, and the others are booked. While the database is away the writer waits: messages stay in their queue, and nothing is dropped
/// (T-21).
/// </summary>
internal sealed class Posting(
    JournalWriter writer, Partitions partitions, RejectedRecords rejected, PostedTotals posted, LedgerMetrics metrics,
    IOptions<LedgerOptions> options, TimeProvider clock, ILogger<Posting> logger)
    : GroupWriter<JournalEntry>(options.Value.RecordsMaxPerTransaction, options.Value.Prefetch, options.Value.GatherFor, clock)
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    protected override Task WriteGroupAsync(IReadOnlyList<JournalEntry> items, CancellationToken cancellation) => BookAllAsync([.. items], cancellation);

    private async Task BookAllAsync(JournalEntry[] entries, CancellationToken cancellation)
    {
        if (entries.Length == 0)
        {
            return;
        }

        for (var attempt = 0; ; attempt++)
        {
            try
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
                return;
            }
            catch (PostgresException error) when (IsAboutTheData(error))
            {
                if (entries.Length == 1)
                {
                    metrics.Rejected(error.SqlState);
                    logger.EntryRejected(entries[0].Id, error.SqlState);
                    await rejected.KeepAsync(entries[0], error.SqlState, cancellation);
                    return;
                }

                await BookAllAsync(entries[..(entries.Length / 2)], cancellation);
                await BookAllAsync(entries[(entries.Length / 2)..], cancellation);
                return;
            }
            catch (Exception error) when (error is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
            {
                metrics.Retried();
                if (attempt is 0 or 10 || attempt % 100 == 0)
                {
                    logger.DatabaseAway(attempt, error.GetType().Name, (error as PostgresException)?.SqlState);
                }

                var pause = TimeSpan.FromTicks(Math.Min(RetryMax.Ticks, RetryFirst.Ticks << Math.Min(attempt, 10)));
                await Task.Delay(pause * (0.5 + (RandomNumberGenerator.GetInt32(1_000) / 1_000d)), Clock, cancellation);
            }
        }
    }

    // Class 22 is a value that does not fit (an overflow, a NUL), class 23 a broken constraint: the same again next time.
    private static bool IsAboutTheData(PostgresException error) =>
        error.SqlState.StartsWith("22", StringComparison.Ordinal) || error.SqlState.StartsWith("23", StringComparison.Ordinal);
}
