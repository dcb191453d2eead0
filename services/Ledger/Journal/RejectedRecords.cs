using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>Records that cannot be booked: kept whole, once each, for a person; the metric and the reconciliation show them.</summary>
internal sealed class RejectedRecords(NpgsqlDataSource database)
{
    public Task KeepAsync(JournalEntry entry, string reason, CancellationToken cancellation) =>
        KeepAsync(entry.EdgeId ?? "", reason, JsonSerializer.SerializeToUtf8Bytes(entry), cancellation);

    public async Task KeepAsync(string edgeId, string reason, byte[] record, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "insert into rejected_records (digest, edge_id, reason, record) values ($1, $2, $3, $4) on conflict (digest) do nothing");
        command.Parameters.AddWithValue(SHA256.HashData(record));
        command.Parameters.AddWithValue(edgeId.Replace("\0", "", StringComparison.Ordinal));
        command.Parameters.AddWithValue(reason);
        command.Parameters.AddWithValue(record);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task<long> CountAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select count(*) from rejected_records");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
