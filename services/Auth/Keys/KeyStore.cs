using Gateway.Auth.Access;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Keys;

/// <summary>Reads and writes the table of keys.</summary>
internal static class KeyStore
{
    /// <summary>The key with an id, or with a value (under any pepper).</summary>
    public static async Task<KeyRecord?> FindAsync(NpgsqlConnection connection, string keyOrId, KeyPeppers peppers, CancellationToken cancellation)
    {
        if (keyOrId.Length > KeyMaker.KeyCharactersMax)
        {
            return null;
        }

        // An own key may look like an id: both are tried.
        await using var command = new NpgsqlCommand("select * from keys where key_id = $1 or hash = any($2) limit 1", connection)
        {
            Parameters =
            {
                new() { Value = Storable(keyOrId) },
                new() { Value = peppers.Candidates(keyOrId).Select(candidate => candidate.Hash).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
            },
        };
        return (await ReadAsync(command, cancellation)).FirstOrDefault();
    }

    public static Task<List<KeyRecord>> OfAliasesAsync(NpgsqlConnection connection, string[] aliases, CancellationToken cancellation) =>
        SelectAsync(connection, "key_alias = any($1)", aliases, cancellation);

    public static Task<List<KeyRecord>> OfUsersAsync(NpgsqlConnection connection, string[] users, CancellationToken cancellation) =>
        SelectAsync(connection, "user_id = any($1)", users, cancellation);

    public static Task<List<KeyRecord>> OfTeamsAsync(NpgsqlConnection connection, string[] teams, CancellationToken cancellation) =>
        SelectAsync(connection, "team_id = any($1)", teams, cancellation);

    public static async Task<List<KeyRecord>> DeclaredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from keys where declared", connection);
        return await ReadAsync(command, cancellation);
    }

    /// <summary>A page of the keys that a filter leaves, newest first, and how many there are.</summary>
    public static async Task<(List<KeyRecord> Keys, long Total)> ListAsync(NpgsqlConnection connection, KeyFilter filter, CancellationToken cancellation)
    {
        const string where = """
            where ($1::text is null or user_id = $1) and ($2::text is null or team_id = $2) and ($3::text is null or organization_id = $3)
              and ($4::text is null or key_alias = $4) and ($5::text is null or key_id = $5)
            """;
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[$"select * from keys {where} order by created_at desc, key_id limit $6 offset $7", $"select count(*) from keys {where}"])
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in (string?[])[filter.UserId, filter.TeamId, filter.OrganizationId, filter.KeyAlias, filter.KeyId])
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            }

            if (sql.Contains("$6", StringComparison.Ordinal))
            {
                command.Parameters.Add(new NpgsqlParameter { Value = (long)filter.Size });
                command.Parameters.Add(new NpgsqlParameter { Value = (filter.Page - 1L) * filter.Size });
            }

            batch.BatchCommands.Add(command);
        }

        await using var rows = await batch.ExecuteReaderAsync(cancellation);
        var keys = await ReadAsync(rows, cancellation);
        await rows.NextResultAsync(cancellation);
        await rows.ReadAsync(cancellation);
        return (keys, rows.GetInt64(0));
    }

    public static Task SaveAsync(AccessTransaction transaction, KeyRecord key, CancellationToken cancellation) =>
        new RowWriter("keys", "key_id")
            .Text("key_id", key.KeyId)
            // An update leaves the hash alone: resolving may have hashed it anew since it was read.
            .SetOnce("hash", key.Hash.Hash, NpgsqlDbType.Bytea)
            .SetOnce("pepper_id", key.Hash.PepperId, NpgsqlDbType.Text)
            .Text("key_name", key.KeyName)
            .Text("key_alias", key.KeyAlias)
            .Text("user_id", key.UserId)
            .Text("team_id", key.TeamId)
            .Text("organization_id", key.OrganizationId)
            .Allowance(key.Allowance)
            .Time("expires", key.Expires)
            .Text("key_type", key.KeyType)
            .Texts("allowed_routes", key.AllowedRoutes)
            .Texts("tags", key.Tags)
            .Json("aliases", key.Aliases)
            .Json("metadata", key.Metadata)
            .Flag("blocked", key.Blocked)
            .Flag("declared", key.Declared)
            .Flag("disabled", key.Disabled)
            .Stamp(key.Stamp)
            .SaveAsync(transaction, cancellation);

    /// <summary>Gives a key another value: the old one is unknown from the commit on.</summary>
    public static async Task ReplaceHashAsync(AccessTransaction transaction, string keyId, KeyHash hash, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("update keys set hash = $1, pepper_id = $2 where key_id = $3", transaction.Connection)
        {
            Parameters = { new() { Value = hash.Hash }, new() { Value = hash.PepperId }, new() { Value = keyId } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public static async Task DeleteAsync(AccessTransaction transaction, IEnumerable<KeyRecord> keys, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("delete from keys where key_id = any($1)", transaction.Connection)
        {
            Parameters = { new() { Value = keys.Select(key => key.KeyId).ToArray() } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>PostgreSQL's text has no NUL: a text with one is no id of ours, and must not become an error of the database.</summary>
    private static string Storable(string text) => text.Contains('\0', StringComparison.Ordinal) ? "" : text;

    private static async Task<List<KeyRecord>> SelectAsync(NpgsqlConnection connection, string where, string[] values, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select * from keys where {where} order by created_at desc, key_id", connection)
        {
            Parameters = { new() { Value = values } },
        };
        return await ReadAsync(command, cancellation);
    }

    private static async Task<List<KeyRecord>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        return await ReadAsync(rows, cancellation);
    }

    private static async Task<List<KeyRecord>> ReadAsync(NpgsqlDataReader rows, CancellationToken cancellation)
    {
        var keys = new List<KeyRecord>();
        while (await rows.ReadAsync(cancellation))
        {
            keys.Add(new KeyRecord
            {
                KeyId = rows.Text("key_id")!,
                Hash = new KeyHash(rows.Text("pepper_id")!, rows.GetFieldValue<byte[]>(rows.GetOrdinal("hash"))),
                KeyName = rows.Text("key_name")!,
                KeyAlias = rows.Text("key_alias"),
                UserId = rows.Text("user_id"),
                TeamId = rows.Text("team_id"),
                OrganizationId = rows.Text("organization_id"),
                Allowance = rows.Allowance(),
                Expires = rows.Time("expires"),
                KeyType = rows.Text("key_type")!,
                AllowedRoutes = rows.Texts("allowed_routes"),
                Tags = rows.Texts("tags") ?? [],
                Aliases = rows.Text("aliases")!,
                Metadata = rows.Text("metadata")!,
                Blocked = rows.Flag("blocked"),
                Declared = rows.Flag("declared"),
                Disabled = rows.Flag("disabled"),
                Stamp = rows.Stamp(),
            });
        }

        return keys;
    }
}

/// <summary>Which keys a list shows; null is no bound.</summary>
internal sealed record KeyFilter(string? UserId, string? TeamId, string? OrganizationId, string? KeyAlias, string? KeyId, int Page, int Size);
