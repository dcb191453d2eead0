using Gateway.Auth.Configuration;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Auth.Access;

/// <summary>
/// Brings the changes of every Auth process from the database into the <see cref="ChangeLog"/>: PostgreSQL's NOTIFY wakes it, and it looks
/// every few seconds all the same. While it cannot look, <see cref="IsCurrent"/> is false and no edge gets a heartbeat: silence must not be
/// taken for "nothing has changed".
/// </summary>
internal sealed class ChangeFeed(NpgsqlDataSource database, ChangeLog log, AccessStart start, TimeProvider clock, ILogger<ChangeFeed> logger)
    : BackgroundJob(clock, logger, RetryAfter)
{
    private const int ReadMax = 1_000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CurrentFor = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PruneEvery = TimeSpan.FromMinutes(1);

    private long looked;
    private int hasLooked;

    /// <summary>Whether the database was looked at within the last seconds.</summary>
    public bool IsCurrent => Volatile.Read(ref hasLooked) == 1 && Clock.GetElapsedTime(Volatile.Read(ref looked)) < CurrentFor;

    // Edges get no heartbeat while it fails.
    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await start.SchemaIsThere.WaitAsync(stoppingToken);
        await FollowAsync(stoppingToken);
    }

    private async Task FollowAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using (var listen = new NpgsqlCommand($"listen {AccessTransaction.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellation);
        }

        // A notification that arrives while the last look's answer is read belongs to a change that this look may not have seen.
        var notified = 0;
        connection.Notification += (_, _) => Volatile.Write(ref notified, 1);
        var pruned = Clock.GetTimestamp();
        try
        {
            while (true)
            {
                Volatile.Write(ref notified, 0);
                await LookAsync(connection, cancellation);
                if (Clock.GetElapsedTime(pruned) > PruneEvery)
                {
                    await PruneAsync(connection, cancellation);
                    pruned = Clock.GetTimestamp();
                }

                if (Volatile.Read(ref notified) == 0)
                {
                    await connection.WaitAsync(LookEvery, cancellation);
                }
            }
        }
        finally
        {
            // The pool must not hand on a connection that listens.
            NpgsqlConnection.ClearPool(connection);
        }
    }

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        for (var more = true; more;)
        {
            var after = log.Last;
            var (changes, oldest, last) = await ReadAsync(connection, after, cancellation);
            if (after == 0 || last < after || (last > after && (changes.Count == 0 || changes[0].Sequence != after + 1)))
            {
                // The first look; or another database stands there; or more was pruned than was read here.
                log.Reset(Math.Max((oldest ?? last + 1) - 1, last - ChangeLog.Capacity));
                if (log.Last < last)
                {
                    continue;
                }

                changes = [];
            }

            log.Append(changes);
            more = changes.Count == ReadMax;
        }

        Volatile.Write(ref looked, Clock.GetTimestamp());
        Volatile.Write(ref hasLooked, 1);
    }

    private static async Task<(List<AccessChange> Changes, long? Oldest, long Last)> ReadAsync(NpgsqlConnection connection, long after, CancellationToken cancellation)
    {
        // One statement, so that all three come from one state of the database.
        await using var command = new NpgsqlCommand(
            """
            select r.last, (select min(sequence) from changes), c.sequence, c.kind, c.id
            from access_revision r
            left join lateral (select * from changes where sequence > $1 order by sequence limit $2) c on true
            order by c.sequence
            """,
            connection)
        {
            Parameters = { new() { Value = after }, new() { Value = (long)ReadMax } },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var changes = new List<AccessChange>();
        long? oldest = null;
        var last = 0L;
        while (await rows.ReadAsync(cancellation))
        {
            last = rows.GetInt64(0);
            oldest = rows.IsDBNull(1) ? null : rows.GetInt64(1);
            if (!rows.IsDBNull(2))
            {
                changes.Add(new AccessChange(rows.GetInt64(2), Enum.Parse<AccessChangeKind>(rows.GetString(3)), rows.IsDBNull(4) ? null : rows.GetString(4)));
            }
        }

        return (changes, oldest, last);
    }

    private static async Task PruneAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("delete from changes where sequence <= (select last from access_revision) - $1", connection)
        {
            Parameters = { new() { Value = (long)ChangeLog.Capacity } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
