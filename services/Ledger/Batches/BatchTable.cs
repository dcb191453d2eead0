using System.Text.Json;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Batches;

/// <summary>The batches, and which of them an edge is to look at.</summary>
internal sealed class BatchTable(NpgsqlDataSource database)
{
    private const string Columns = "id, owner, model, deployment_id, provider_id, input_file_id, lines::text, state, submission::text, answer, created_at";

    /// <summary>Notes a batch that is about to be submitted, to be looked at after a while if nothing more is heard of it. A repeat changes nothing.</summary>
    public async Task AddAsync(ProviderBatch batch, TimeSpan lookAfter, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            insert into batches (id, owner, model, deployment_id, input_file_id, lines, state, created_at, submission, look_at)
            values ($1, $2, $3, $4, $5, $6::jsonb, 'Submitting', $7, $8::jsonb, now() + $9)
            on conflict (id) do nothing
            """);
        command.Parameters.AddWithValue(batch.Id);
        command.Parameters.AddWithValue(batch.Owner);
        command.Parameters.AddWithValue(batch.Model);
        command.Parameters.AddWithValue(batch.DeploymentId);
        command.Parameters.AddWithValue(batch.InputFileId);
        command.Parameters.AddWithValue(JsonSerializer.Serialize(batch.Lines, BatchesJson.Default.BatchLines));
        command.Parameters.AddWithValue(batch.CreatedAt.ToUniversalTime());
        command.Parameters.AddWithValue(JsonSerializer.Serialize(batch.Submission, ContractsJson.Default.UsageRecord));
        command.Parameters.AddWithValue(lookAfter);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Notes what became of a batch; false when there is none. What is settled stays settled, and is looked at no more.</summary>
    public async Task<bool> ChangeAsync(string id, BatchChange change, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            update batches set
                state = case when state = 'Settled' then state else coalesce($2, state) end,
                provider_id = coalesce(provider_id, $3),
                answer = coalesce($4, answer),
                changed_at = now(),
                look_at = case when state = 'Settled' or $2 in ('Settled', 'Unresolved') then null when $2 = 'Open' then now() else look_at end
            where id = $1
            """);
        command.Parameters.AddWithValue(id);
        command.Parameters.Add(Text(change.State?.ToString()));
        command.Parameters.Add(Text(change.ProviderId));
        command.Parameters.Add(Text(change.Answer));
        return await command.ExecuteNonQueryAsync(cancellation) == 1;
    }

    /// <summary>Forgets a batch that its provider refused: one that may be there stays.</summary>
    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("delete from batches where id = $1 and state = 'Submitting'");
        command.Parameters.AddWithValue(id);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>An owner's batch; null when there is none.</summary>
    public async Task<ProviderBatch?> FindAsync(string id, string owner, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select {Columns} from batches where id = $1 and owner = $2");
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(owner);
        return (await ReadAsync(command, cancellation)).FirstOrDefault();
    }

    /// <summary>An owner's batches from the one after <paramref name="after"/> on, the newest first.</summary>
    public async Task<ProviderBatch[]> ListAsync(string owner, string? after, int limit, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            select {Columns} from batches
            where owner = $1 and ($2::text is null or (created_at, id) < (select created_at, id from batches where id = $2 and owner = $1))
            order by created_at desc, id desc limit $3
            """);
        command.Parameters.AddWithValue(owner);
        command.Parameters.Add(Text(after));
        command.Parameters.AddWithValue(limit);
        return [.. await ReadAsync(command, cancellation)];
    }

    /// <summary>
    /// Gives batches to an edge to look at, and counts those that are not settled by their state. No other edge gets the same ones until their next
    /// time, so many edges share the work.
    /// </summary>
    public async Task<(ProviderBatch[] Claimed, Dictionary<string, long> Counts)> ClaimAsync(ClaimBatches claim, CancellationToken cancellation)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new($"""
            update batches set look_at = now() + $2
            where id in (
                select id from batches
                where case when $3::text is null then look_at <= now() else id = $3 and provider_id is not null and state in ('Open', 'Unresolved') end
                order by look_at limit $1 for update skip locked)
            returning {Columns}
            """)
        {
            Parameters = { new() { Value = claim.Most }, new() { Value = claim.Next }, Text(claim.Id) },
        });
        batch.BatchCommands.Add(new("select state, count(*) from batches where state <> 'Settled' group by state"));
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var claimed = await ReadAsync(reader, cancellation);
        await reader.NextResultAsync(cancellation);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            counts[reader.GetString(0)] = reader.GetInt64(1);
        }

        return ([.. claimed], counts);
    }

    private static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static async Task<List<ProviderBatch>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await ReadAsync(reader, cancellation);
    }

    private static async Task<List<ProviderBatch>> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        var batches = new List<ProviderBatch>();
        while (await reader.ReadAsync(cancellation))
        {
            batches.Add(new()
            {
                Id = reader.GetString(0),
                Owner = reader.GetString(1),
                Model = reader.GetString(2),
                DeploymentId = reader.GetString(3),
                ProviderId = reader.IsDBNull(4) ? null : reader.GetString(4),
                InputFileId = reader.GetString(5),
                Lines = JsonSerializer.Deserialize(reader.GetString(6), BatchesJson.Default.BatchLines)!,
                State = Enum.Parse<BatchState>(reader.GetString(7)),
                Submission = JsonSerializer.Deserialize(reader.GetString(8), ContractsJson.Default.UsageRecord)!,
                Answer = reader.IsDBNull(9) ? null : reader.GetString(9),
                CreatedAt = new(reader.GetDateTime(10)),
            });
        }

        return batches;
    }
}
