using Npgsql;
using NpgsqlTypes;

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
        await using var importer = await connection.BeginBinaryImportAsync($"copy {table} ({Names}) from stdin (format binary)", cancellation);
        foreach (var row in rows)
        {
            await importer.StartRowAsync(cancellation);
            foreach (var column in columns)
            {
                await column.CopyAsync(importer, row, cancellation);
            }
        }

        await importer.CompleteAsync(cancellation);
    }
}

/// <summary>A column of <see cref="TableRows{TRow}"/>.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">The type in PostgreSQL of what <see cref="Parameter"/> has for each row.</param>
public abstract class TableColumn<TRow>(string name, string type)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>The type in PostgreSQL of what <see cref="Parameter"/> has for each row.</summary>
    public string Type { get; } = type;

    /// <summary>What makes the column's value of it.</summary>
    public virtual string Expression => Name;

    /// <summary>The values of all rows.</summary>
    public abstract NpgsqlParameter Parameter(IReadOnlyList<TRow> rows);

    /// <summary>Writes the value of one row.</summary>
    public abstract Task CopyAsync(NpgsqlBinaryImporter importer, TRow row, CancellationToken cancellation);
}

/// <summary>Makes columns.</summary>
public static class TableColumn
{
    /// <summary>A column with one value.</summary>
    public static TableColumn<TRow> Of<TRow, T>(string name, string type, NpgsqlDbType kind, Func<TRow, T> value) => new Plain<TRow, T>(name, type, kind, value);

    /// <summary>A column with a list.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kind">The type of an element.</param>
    /// <param name="value">The list of a row.</param>
    /// <param name="text">The list as a text: arrays of arrays must be of one length in PostgreSQL, so in a statement it travels so.</param>
    /// <param name="expression">What makes the list of the text again.</param>
    public static TableColumn<TRow> List<TRow, T>(string name, NpgsqlDbType kind, Func<TRow, T[]?> value, Func<T[], string> text, string expression) =>
        new Listed<TRow, T>(name, kind, value, text, expression);

    private static NpgsqlParameter<T[]> Parameter<TRow, T>(IReadOnlyList<TRow> rows, NpgsqlDbType kind, Func<TRow, T> value)
    {
        var values = new T[rows.Count];
        for (var row = 0; row < values.Length; row++)
        {
            values[row] = value(rows[row]);
        }

        return new() { TypedValue = values, NpgsqlDbType = kind | NpgsqlDbType.Array };
    }

    private sealed class Plain<TRow, T>(string name, string type, NpgsqlDbType kind, Func<TRow, T> value) : TableColumn<TRow>(name, type)
    {
        public override NpgsqlParameter Parameter(IReadOnlyList<TRow> rows) => TableColumn.Parameter(rows, kind, value);

        public override Task CopyAsync(NpgsqlBinaryImporter importer, TRow row, CancellationToken cancellation) => importer.WriteAsync(value(row), kind, cancellation);
    }

    private sealed class Listed<TRow, T>(string name, NpgsqlDbType kind, Func<TRow, T[]?> value, Func<T[], string> text, string expression) : TableColumn<TRow>(name, "text")
    {
        public override string Expression => expression;

        public override NpgsqlParameter Parameter(IReadOnlyList<TRow> rows) =>
            TableColumn.Parameter(rows, NpgsqlDbType.Text, row => value(row) is { } list ? text(list) : null);

        public override Task CopyAsync(NpgsqlBinaryImporter importer, TRow row, CancellationToken cancellation) =>
            importer.WriteAsync(value(row), kind | NpgsqlDbType.Array, cancellation);
    }
}
