using Gateway.Auth.Audit;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Access;

/// <summary>
/// One mutation: what it changes, its lines of audit and what edges are told stand or fall together. Mutations of all Auth processes take
/// turns (they lock the row of <c>access_revision</c> first): they are rare, and taking turns makes the changes gap-free, deadlocks
/// impossible and every check before a write safe.
/// </summary>
internal sealed class AccessTransaction : IAsyncDisposable
{
    /// <summary>The channel on which PostgreSQL wakes the other Auth processes.</summary>
    public const string Channel = "access_changes";

    private readonly NpgsqlTransaction transaction;
    private readonly List<AccessChange> changes = [];
    private readonly List<AuditLine> audit = [];
    private long last;

    private AccessTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, long last, Actor actor, DateTimeOffset now)
    {
        (Connection, this.transaction, this.last, Actor, Now) = (connection, transaction, last, actor, now);
    }

    public NpgsqlConnection Connection { get; }

    public Actor Actor { get; }

    public DateTimeOffset Now { get; }

    /// <summary>Starts a mutation and waits for its turn, at most the data source's command timeout.</summary>
    public static async Task<AccessTransaction> BeginAsync(NpgsqlDataSource database, Actor actor, TimeProvider clock, CancellationToken cancellation)
    {
        var connection = await database.OpenConnectionAsync(cancellation);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var turn = new NpgsqlCommand("select last from access_revision for update", connection);
            var last = (long)(await turn.ExecuteScalarAsync(cancellation))!;
            return new AccessTransaction(connection, transaction, last, actor, clock.GetUtcNow());
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Notes that edges must forget <paramref name="id"/>; the change's number is the revision of the row that changed.</summary>
    public long Change(AccessChangeKind kind, string? id)
    {
        changes.Add(new AccessChange(++last, kind, id));
        return last;
    }

    /// <summary>Notes who did what. The images are JSON without secrets.</summary>
    public void Audit(string action, string objectType, string objectId, string? before, string? after) =>
        audit.Add(new AuditLine(Now, Actor, action, objectType, objectId, before, after));

    /// <summary>Makes it all true at once, and wakes whoever reads the changes.</summary>
    public async Task CommitAsync(CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(Connection, transaction);
        if (changes.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into changes (sequence, kind, id) select * from unnest($1, $2, $3)")
            {
                Parameters =
                {
                    new() { Value = changes.Select(change => change.Sequence).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                    new() { Value = changes.Select(change => change.Kind.ToString()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    new() { Value = changes.Select(change => change.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand("update access_revision set last = $1") { Parameters = { new() { Value = last } } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"select pg_notify('{Channel}', '')"));
        }

        foreach (var line in audit)
        {
            batch.BatchCommands.Add(line.ToInsert());
        }

        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(cancellation);
        }

        // Not cancelled from here on: a caller that hangs up would otherwise not know whether its key exists.
        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>Rolls back what was not committed.</summary>
    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await Connection.DisposeAsync();
    }
}
