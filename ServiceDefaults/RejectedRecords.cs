using System.Security.Cryptography;
using Npgsql;

namespace Gateway.ServiceDefaults;

/// <summary>Records that cannot be booked or stored: kept whole in the service's own table <c>rejected_records</c>, for a person to look at.</summary>
public sealed class RejectedRecords(NpgsqlDataSource database)
{
    /// <summary>Keeps one. The same record again is not kept twice.</summary>
    /// <param name="edgeId">Who sent it.</param>
    /// <param name="reason">One of a small closed set, or PostgreSQL's code.</param>
    /// <param name="record">The record as it came.</param>
    /// <param name="cancellation">Ends the write.</param>
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

    /// <summary>How many there are.</summary>
    public async Task<long> CountAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select count(*) from rejected_records");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
