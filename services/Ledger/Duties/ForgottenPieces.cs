using Npgsql;

namespace Gateway.Ledger.Duties;

/// <summary>Deletes old rows piece by piece, so that no statement holds its locks for longer than a moment.</summary>
internal static class ForgottenPieces
{
    /// <summary>Rows in one statement.</summary>
    public const int Max = 1_000;

    /// <summary>Runs a statement until it finds no more.</summary>
    /// <param name="database">Where.</param>
    /// <param name="piece">Deletes at most <c>$2</c> rows that are older than <c>$1</c> and returns them as <c>gone</c>, and may delete what hangs on those: <c>with gone as (delete …), …</c></param>
    /// <param name="before">What is older goes.</param>
    /// <returns>How many went.</returns>
    public static async Task<int> DeleteAsync(NpgsqlDataSource database, string piece, DateTimeOffset before, CancellationToken cancellation)
    {
        var deleted = 0;
        while (true)
        {
            await using var command = database.CreateCommand($"{piece} select count(*)::int from gone");
            command.Parameters.AddWithValue(before.UtcDateTime);
            command.Parameters.AddWithValue(Max);
            var rows = (int)(await command.ExecuteScalarAsync(cancellation))!;
            deleted += rows;
            if (rows < Max)
            {
                return deleted;
            }
        }
    }
}
