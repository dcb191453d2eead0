using Npgsql;

namespace Gateway.Ledger.Leases;

/// <summary>A lock over all Ledger processes, for jobs that one of them does at a time. It goes with the connection, so a killed process holds none.</summary>
internal static class AdvisoryLock
{
    public static async Task<bool> TryTakeAsync(NpgsqlConnection connection, long name, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = name } } };
        return await command.ExecuteScalarAsync(cancellation) is true;
    }

    public static async Task ReleaseAsync(NpgsqlConnection connection, long name)
    {
        if (connection.State != System.Data.ConnectionState.Open)
        {
            return;
        }

        await using var command = new NpgsqlCommand("select pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = name } } };
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
