using Npgsql;
using NpgsqlTypes;

namespace Gateway.ServiceDefaults;

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
    public abstract void Write(TRow row, CopyBuffer copy);
}

/// <summary>Makes columns.</summary>
public static class TableColumn
{
    /// <summary>A column of type <c>timestamptz</c>, in UTC.</summary>
    public static TableColumn<TRow> Timestamp<TRow>(string name, Func<TRow, DateTime> value) =>
        Of(name, "timestamptz", NpgsqlDbType.TimestampTz, value, static (copy, value) => copy.Write(value));

    /// <summary>A column of type <c>date</c>.</summary>
    public static TableColumn<TRow> Date<TRow>(string name, Func<TRow, DateOnly> value) =>
        Of(name, "date", NpgsqlDbType.Date, value, static (copy, value) => copy.Write(value));

    /// <summary>A column of type <c>uuid</c>.</summary>
    public static TableColumn<TRow> Uuid<TRow>(string name, Func<TRow, Guid?> value) =>
        Of(name, "uuid", NpgsqlDbType.Uuid, value, static (copy, value) => WriteOrNull(copy, value, static (copy, value) => copy.Write(value)));

    /// <summary>A column of type <c>bigint</c>.</summary>
    public static TableColumn<TRow> BigInt<TRow>(string name, Func<TRow, long?> value) =>
        Of(name, "bigint", NpgsqlDbType.Bigint, value, static (copy, value) => WriteOrNull(copy, value, static (copy, value) => copy.Write(value)));

    /// <summary>A column of type <c>int</c>.</summary>
    public static TableColumn<TRow> Int<TRow>(string name, Func<TRow, int> value) =>
        Of(name, "int", NpgsqlDbType.Integer, value, static (copy, value) => copy.Write(value));

    /// <summary>A column of type <c>smallint</c>.</summary>
    public static TableColumn<TRow> SmallInt<TRow>(string name, Func<TRow, short> value) =>
        Of(name, "smallint", NpgsqlDbType.Smallint, value, static (copy, value) => copy.Write(value));

    /// <summary>A column of type <c>boolean</c>.</summary>
    public static TableColumn<TRow> Boolean<TRow>(string name, Func<TRow, bool> value) =>
        Of(name, "boolean", NpgsqlDbType.Boolean, value, static (copy, value) => copy.Write(value));

    /// <summary>A column of type <c>text</c>.</summary>
    public static TableColumn<TRow> Text<TRow>(string name, Func<TRow, string?> value) =>
        Of(name, "text", NpgsqlDbType.Text, value, static (copy, value) => WriteOrNull(copy, value, static (copy, value) => copy.Write(value)));

    /// <summary>A column of type <c>jsonb</c>.</summary>
    public static TableColumn<TRow> Json<TRow>(string name, Func<TRow, string?> value) =>
        Of(name, "jsonb", NpgsqlDbType.Jsonb, value, static (copy, value) => WriteOrNull(copy, value, static (copy, value) => copy.WriteJson(value)));

    /// <summary>A column of type <c>int[]</c>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">The list of a row.</param>
    /// <param name="text">The list as a text: arrays of arrays must be of one length in PostgreSQL, so in a statement it travels so.</param>
    /// <param name="expression">What makes the list of the text again.</param>
    public static TableColumn<TRow> Ints<TRow>(string name, Func<TRow, int[]?> value, Func<int[], string> text, string expression) =>
        new Listed<TRow, int[]>(name, value, text, expression, static (copy, list) => copy.Write(list));

    /// <summary>A column of type <c>text[]</c>.</summary>
    /// <inheritdoc cref="Ints" path="/param"/>
    public static TableColumn<TRow> Texts<TRow>(string name, Func<TRow, string[]?> value, Func<string[], string> text, string expression) =>
        new Listed<TRow, string[]>(name, value, text, expression, static (copy, list) => copy.Write(list));

    private static Plain<TRow, T> Of<TRow, T>(string name, string type, NpgsqlDbType kind, Func<TRow, T> value, Action<CopyBuffer, T> write) =>
        new(name, type, kind, value, write);

    private static void WriteOrNull<T>(CopyBuffer copy, T? value, Action<CopyBuffer, T> write)
        where T : struct
    {
        if (value is { } there)
        {
            write(copy, there);
        }
        else
        {
            copy.WriteNull();
        }
    }

    private static void WriteOrNull<T>(CopyBuffer copy, T? value, Action<CopyBuffer, T> write)
        where T : class
    {
        if (value is not null)
        {
            write(copy, value);
        }
        else
        {
            copy.WriteNull();
        }
    }

    private static NpgsqlParameter<T[]> Parameter<TRow, T>(IReadOnlyList<TRow> rows, NpgsqlDbType kind, Func<TRow, T> value)
    {
        var values = new T[rows.Count];
        for (var row = 0; row < values.Length; row++)
        {
            values[row] = value(rows[row]);
        }

        return new() { TypedValue = values, NpgsqlDbType = kind | NpgsqlDbType.Array };
    }

    private sealed class Plain<TRow, T>(string name, string type, NpgsqlDbType kind, Func<TRow, T> value, Action<CopyBuffer, T> write)
        : TableColumn<TRow>(name, type)
    {
        public override NpgsqlParameter Parameter(IReadOnlyList<TRow> rows) => TableColumn.Parameter(rows, kind, value);

        public override void Write(TRow row, CopyBuffer copy) => write(copy, value(row));
    }

    private sealed class Listed<TRow, TList>(string name, Func<TRow, TList?> value, Func<TList, string> text, string expression, Action<CopyBuffer, TList> write)
        : TableColumn<TRow>(name, "text")
        where TList : class
    {
        public override string Expression => expression;

        public override NpgsqlParameter Parameter(IReadOnlyList<TRow> rows) =>
            TableColumn.Parameter(rows, NpgsqlDbType.Text, row => value(row) is { } list ? text(list) : null);

        public override void Write(TRow row, CopyBuffer copy) => WriteOrNull(copy, value(row), write);
    }
}
