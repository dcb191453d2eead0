using Npgsql;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Many rows that come to PostgreSQL at once, in two ways: to a statement as one array for each column, which may look at each row, or into
/// their table by a copy, which costs PostgreSQL a third less and takes no row that it knows.
/// </summary>
/// <typeparam name="TRow">What a row is made of.</typeparam>
/// <param name="columns">Their columns, in the order in which rows come to PostgreSQL.</param>
public sealed class TableRows<TRow>(IReadOnlyList<TableColumn<TRow>> columns)
{
    /// <summary>The columns' names.</summary>
    public string Names { get; } = string.Join(", ", columns.Select(static column => column.Name));

    /// <summary>What makes the columns' values of <see cref="Unnest"/>.</summary>
    public string Expressions { get; } = string.Join(", ", columns.Select(static column => column.Expression));

    /// <summary>The rows of a statement that has <see cref="Parameters"/> and no others.</summary>
    public string Unnest { get; } =
        $"unnest({string.Join(", ", columns.Select(static (column, index) => $"${index + 1}::{column.Type}[]"))}) as batch ({string.Join(", ", columns.Select(static column => column.Name))})";

    /// <summary>The parameters of <see cref="Unnest"/>.</summary>
    public IEnumerable<NpgsqlParameter> Parameters(IReadOnlyList<TRow> rows) => columns.Select(column => column.Parameter(rows));

    /// <summary>Copies rows into a table, all or none. They must come in the order in which other writers lock them.</summary>
    /// <exception cref="PostgresException">The table has one of them (<c>23505</c>), or they cannot be stored: then none is.</exception>
    public async Task CopyAsync(NpgsqlConnection connection, string table, IEnumerable<TRow> rows, CancellationToken cancellation)
    {
        var copy = await connection.BeginRawBinaryCopyAsync($"copy {table} ({Names}) from stdin (format binary)", cancellation);
        try
        {
            await SendAsync(copy, rows, cancellation);
        }
        catch
        {
            await GiveUpAsync(copy);
            throw;
        }

        // Not before: who ends a copy says that it is whole.
        await copy.DisposeAsync();
    }

    private async Task SendAsync(NpgsqlRawCopyStream copy, IEnumerable<TRow> rows, CancellationToken cancellation)
    {
        var buffer = new CopyBuffer();
        foreach (var row in rows)
        {
            buffer.BeginRow(columns.Count);
            foreach (var column in columns)
            {
                column.Write(row, buffer);
            }

            if (buffer.IsFull)
            {
                await buffer.SendAsync(copy, cancellation);
            }
        }

        buffer.End();
        await buffer.SendAsync(copy, cancellation);
    }

    private static async Task GiveUpAsync(NpgsqlRawCopyStream copy)
    {
        try
        {
            await copy.CancelAsync();
        }
        catch (Exception error) when (error is NpgsqlException or ObjectDisposedException or IOException)
        {
            // The connection is gone, or PostgreSQL had refused a row already: what is thrown says why.
        }
    }
}
