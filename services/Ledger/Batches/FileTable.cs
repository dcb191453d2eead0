using System.Text.Json;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Batches;

/// <summary>The files. Whose a file is, is part of every question: another's is not there.</summary>
internal sealed class FileTable(NpgsqlDataSource database)
{
    private const string Columns = "id, owner, model, deployment_id, provider_id, purpose, filename, bytes, created_at, expires_at, lines::text";

    /// <summary>Notes a file; one that is known by its provider's id keeps the id and the owner that it has.</summary>
    public async Task<ProviderFile> AddAsync(ProviderFile file, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            insert into files (id, owner, model, deployment_id, provider_id, purpose, filename, bytes, created_at, expires_at, lines)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
            on conflict (deployment_id, provider_id) do update set bytes = greatest(files.bytes, excluded.bytes)
            returning {Columns}
            """);
        command.Parameters.AddWithValue(file.Id);
        command.Parameters.AddWithValue(file.Owner);
        command.Parameters.AddWithValue(file.Model);
        command.Parameters.AddWithValue(file.DeploymentId);
        command.Parameters.AddWithValue(file.ProviderId);
        command.Parameters.AddWithValue(file.Purpose);
        command.Parameters.AddWithValue(file.Filename);
        command.Parameters.AddWithValue(file.Bytes);
        command.Parameters.AddWithValue(file.CreatedAt.ToUniversalTime());
        command.Parameters.Add(new() { Value = (object?)file.ExpiresAt?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = file.Lines is { } lines ? JsonSerializer.Serialize(lines, BatchesJson.Default.BatchLines) : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        return (await ReadAsync(command, cancellation))[0];
    }

    /// <summary>An owner's file; null when there is none.</summary>
    public async Task<ProviderFile?> FindAsync(string id, string owner, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select {Columns} from files where id = $1 and owner = $2");
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(owner);
        return (await ReadAsync(command, cancellation)).FirstOrDefault();
    }

    /// <summary>An owner's files from the one after <paramref name="after"/> on, the newest first unless <paramref name="oldestFirst"/>.</summary>
    public async Task<ProviderFile[]> ListAsync(string owner, string? purpose, string? after, bool oldestFirst, int limit, CancellationToken cancellation)
    {
        var (than, order) = oldestFirst ? (">", "asc") : ("<", "desc");
        await using var command = database.CreateCommand($"""
            select {Columns} from files
            where owner = $1 and ($2::text is null or purpose = $2)
              and ($3::text is null or (created_at, id) {than} (select created_at, id from files where id = $3 and owner = $1))
            order by created_at {order}, id {order} limit $4
            """);
        command.Parameters.AddWithValue(owner);
        command.Parameters.Add(new() { Value = (object?)purpose ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)after ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.AddWithValue(limit);
        return [.. await ReadAsync(command, cancellation)];
    }

    /// <summary>Forgets an owner's file; false when there is none.</summary>
    public async Task<bool> RemoveAsync(string id, string owner, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("delete from files where id = $1 and owner = $2");
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(owner);
        return await command.ExecuteNonQueryAsync(cancellation) == 1;
    }

    private static async Task<List<ProviderFile>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var files = new List<ProviderFile>();
        while (await reader.ReadAsync(cancellation))
        {
            files.Add(new()
            {
                Id = reader.GetString(0),
                Owner = reader.GetString(1),
                Model = reader.GetString(2),
                DeploymentId = reader.GetString(3),
                ProviderId = reader.GetString(4),
                Purpose = reader.GetString(5),
                Filename = reader.GetString(6),
                Bytes = reader.GetInt64(7),
                CreatedAt = new(reader.GetDateTime(8)),
                ExpiresAt = reader.IsDBNull(9) ? null : new(reader.GetDateTime(9)),
                Lines = reader.IsDBNull(10) ? null : JsonSerializer.Deserialize(reader.GetString(10), BatchesJson.Default.BatchLines),
            });
        }

        return files;
    }
}
