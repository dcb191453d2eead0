using System.Net.Sockets;
using System.Security.Cryptography;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Writes what must be in the database before its message may leave the queue. While the database is away it waits and tries again, without
/// end: the message stays in its queue, and nothing is dropped (T-21).
/// </summary>
internal sealed class WritePatience(LedgerMetrics metrics, TimeProvider clock, ILogger<WritePatience> logger)
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    /// <summary>The same again next time.</summary>
    public static bool IsAboutTheData(PostgresException error) => WriteFailures.Of(error) == WriteFailure.Poison;

    /// <summary>Returns when <paramref name="write"/> has gone through once.</summary>
    /// <exception cref="PostgresException">The database refused the data: see <see cref="IsAboutTheData"/>.</exception>
    public async Task WriteAsync(Func<Task> write, CancellationToken cancellation)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await write();
                return;
            }
            catch (Exception error) when (IsAway(error))
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

    private static bool IsAway(Exception error) => error is PostgresException said ? !IsAboutTheData(said) : error is NpgsqlException or TimeoutException or SocketException or IOException;
}
