using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Duties;

/// <summary>
/// What must be done once, and by one Ledger process at a time (T-27), is done by the process on duty: the one whose session holds an
/// advisory lock. The lock goes with the session, so a killed process is replaced at once, and one that hangs when the database ends its
/// idle session. One session for all jobs, held, instead of a lock taken and given back by each of them every few seconds: an idle cluster
/// leaves the database alone.
/// </summary>
internal sealed class Duty(NpgsqlDataSource database, EmptyHands hands, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<Duty> logger)
    : BackgroundJob(clock, logger, RetryAfter)
{
    /// <summary>The channel on which the database says that an administrators' budget was changed (Schema/0007).</summary>
    public const string BudgetsChannel = "budgets_changed";

    private const long Lock = 0x6c65_6467_6572;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    private bool mine;
    private bool listens;
    private long budgetsChanged;

    /// <summary>Whether this process has the duty.</summary>
    public bool IsMine => Volatile.Read(ref mine);

    /// <summary>Whether this process would hear of a changed budget.</summary>
    public bool Listens => Volatile.Read(ref listens);

    /// <summary>Rises with every word that a budget was changed, and whenever word may have been missed.</summary>
    public long BudgetsChanged => Interlocked.Read(ref budgetsChanged);

    // Ends when the session breaks: another process may have the duty then.
    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await using var connection = await database.OpenConnectionAsync(stoppingToken);
        try
        {
            connection.Notification += (_, word) => Hear(word.Channel);
            await PrepareAsync(connection, stoppingToken);
            Hear(BudgetsChannel);
            Hear(EmptyHands.EdgesChannel);
            Volatile.Write(ref listens, true);
            while (true)
            {
                // Held already: the same statement says that this process lives.
                Volatile.Write(ref mine, await HoldsAsync(connection, stoppingToken));
                await connection.WaitAsync(options.Value.DutyEvery, stoppingToken);
            }
        }
        finally
        {
            var held = IsMine;
            Volatile.Write(ref mine, false);
            Volatile.Write(ref listens, false);
            if (held && connection.State == System.Data.ConnectionState.Open)
            {
                await AdvisoryLock.ReleaseAsync(connection, Lock);
            }

            // The pool must not hand on a session that listens and that the database ends when it is idle.
            NpgsqlConnection.ClearPool(connection);
        }
    }

    private void Hear(string channel)
    {
        if (channel == EmptyHands.EdgesChannel)
        {
            hands.Ask();
        }
        else
        {
            Interlocked.Increment(ref budgetsChanged);
        }
    }

    private async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var idleMax = (long)(options.Value.DutyEvery * 6).TotalMilliseconds;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"listen {BudgetsChannel}"),
                new($"listen {EmptyHands.EdgesChannel}"),
                // PostgreSQL 14 and later; before it a process that hangs keeps its duty until it is ended.
                new("select set_config('idle_session_timeout', $1, false) where exists (select from pg_settings where name = 'idle_session_timeout')")
                {
                    Parameters = { new() { Value = idleMax.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<bool> HoldsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!IsMine)
        {
            return await AdvisoryLock.TryTakeAsync(connection, Lock, cancellation);
        }

        await using var alive = new NpgsqlCommand("select true", connection);
        return await alive.ExecuteScalarAsync(cancellation) is true;
    }
}
