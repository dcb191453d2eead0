using System.Security.Cryptography;
using System.Threading.Channels;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Books entries in group commits: one writer takes whatever is waiting (up to a bound) into one transaction, and everybody who waits for
/// it goes on together. A transaction that a record makes impossible is halved until that record stands alone; it is then kept aside, and
/// the others are booked. While the database is away the writer waits: messages stay in their queue, and nothing is dropped (T-21).
/// </summary>
internal sealed class Posting(
    JournalWriter writer, Partitions partitions, RejectedRecords rejected, PostedTotals posted, LedgerMetrics metrics,
    IOptions<LedgerOptions> options, TimeProvider clock, ILogger<Posting> logger) : BackgroundService
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    // The prefetch bounds how many messages can wait here; the channel's own bound only states it.
    private readonly Channel<Work> waiting = Channel.CreateBounded<Work>(1_024);

    /// <summary>Returns when all of <paramref name="entries"/> are in the journal (or aside in the rejected records).</summary>
    public async Task BookAsync(IReadOnlyList<JournalEntry> entries, CancellationToken cancellation)
    {
        var work = new Work(entries);
        await waiting.Writer.WriteAsync(work, cancellation);
        await work.Done.Task.WaitAsync(cancellation);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                await BookTogetherAsync(Take(), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What waits was not acknowledged: the broker delivers it again.
        }
        finally
        {
            waiting.Writer.TryComplete();
            while (waiting.Reader.TryRead(out var left))
            {
                left.Done.TrySetCanceled(CancellationToken.None);
            }
        }
    }

    private List<Work> Take()
    {
        var group = new List<Work>();
        var count = 0;
        while (count < options.Value.RecordsMaxPerTransaction && waiting.Reader.TryRead(out var work))
        {
            group.Add(work);
            count += work.Entries.Count;
        }

        return group;
    }

    private async Task BookTogetherAsync(List<Work> group, CancellationToken cancellation)
    {
        try
        {
            await BookAllAsync([.. group.SelectMany(work => work.Entries)], cancellation);
            group.ForEach(work => work.Done.TrySetResult());
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            group.ForEach(work => work.Done.TrySetCanceled(cancellation));
            throw;
        }
#pragma warning disable CA1031 // A bug here must reach the messages (retry, then the error queue), not end the only writer.
        catch (Exception error)
#pragma warning restore CA1031
        {
            group.ForEach(work => work.Done.TrySetException(error));
        }
    }

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
                var started = clock.GetTimestamp();
                await partitions.EnsureAsync(entries.Select(entry => entry.At), cancellation);
                var result = await writer.AddAsync(entries, cancellation);
                metrics.Booked(result, clock.GetElapsedTime(started));
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
                await Task.Delay(pause * (0.5 + (RandomNumberGenerator.GetInt32(1_000) / 1_000d)), clock, cancellation);
            }
        }
    }

    // Class 22 is a value that does not fit (an overflow, a NUL), class 23 a broken constraint: the same again next time.
    private static bool IsAboutTheData(PostgresException error) =>
        error.SqlState.StartsWith("22", StringComparison.Ordinal) || error.SqlState.StartsWith("23", StringComparison.Ordinal);

    private sealed record Work(IReadOnlyList<JournalEntry> Entries)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
