using Npgsql;

namespace Gateway.Ledger.Reconciliation;

/// <summary>Statements of the comparison: they may read the whole journal, and take as long as that takes.</summary>
internal static class LongStatement
{
    /// <summary>How long one may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    public static NpgsqlCommand Of(NpgsqlConnection connection, string statement, params object[] values)
    {
        var command = new NpgsqlCommand(statement, connection) { CommandTimeout = (int)Patience.TotalSeconds };
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }

    public static async Task RunAsync(NpgsqlConnection connection, string statement, CancellationToken cancellation, params object[] values)
    {
        await using var command = Of(connection, statement, values);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
