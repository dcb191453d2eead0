using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Metering.Ingest;

/// <summary>
/// A column of <c>usage_records</c>: its name, its type, and what a record has there. It goes to PostgreSQL in two ways: as one array for
/// all records of a statement, or row by row into a copy.
/// </summary>
internal abstract class UsageColumn(string name, string type)
{
    public string Name { get; } = name;

    /// <summary>The type in PostgreSQL of what <see cref="Parameter"/> has for each record.</summary>
    public string Type { get; } = type;

    /// <summary>What makes the column's value of it.</summary>
    public virtual string Expression => Name;

    public abstract NpgsqlParameter Parameter(IReadOnlyList<UsageRecord> records, NameNumbers numbers);

    public abstract Task CopyAsync(NpgsqlBinaryImporter rows, UsageRecord record, NameNumbers numbers, CancellationToken cancellation);

    public static UsageColumn Of<T>(string name, string type, NpgsqlDbType kind, Func<UsageRecord, T> value) => new Plain<T>(name, type, kind, (record, _) => value(record));

    public static UsageColumn Count(string name, Func<UsageRecord, long> value) => Of(name, "bigint", NpgsqlDbType.Bigint, value);

    /// <summary>A count that most requests do not have: null is 0 and takes no space.</summary>
    public static UsageColumn RareCount(string name, Func<UsageRecord, long> value) =>
        Of(name, "bigint", NpgsqlDbType.Bigint, record => value(record) is var count and not 0 ? count : (long?)null);

    public static UsageColumn Flag(string name, Func<UsageRecord, bool> value) => Of(name, "boolean", NpgsqlDbType.Boolean, value);

    public static UsageColumn Number(string name, Func<UsageRecord, string?> value) =>
        new Plain<int>(name, "int", NpgsqlDbType.Integer, (record, numbers) => numbers.Of(value(record)));

    public static UsageColumn NumberList(string name, Func<UsageRecord, string[]> value) => new Numbers(name, value);

    private sealed class Plain<T>(string name, string type, NpgsqlDbType kind, Func<UsageRecord, NameNumbers, T> value) : UsageColumn(name, type)
    {
        public override NpgsqlParameter Parameter(IReadOnlyList<UsageRecord> records, NameNumbers numbers)
        {
            var column = new T[records.Count];
            for (var row = 0; row < column.Length; row++)
            {
                column[row] = value(records[row], numbers);
            }

            return new NpgsqlParameter<T[]> { TypedValue = column, NpgsqlDbType = kind | NpgsqlDbType.Array };
        }

        public override Task CopyAsync(NpgsqlBinaryImporter rows, UsageRecord record, NameNumbers numbers, CancellationToken cancellation) =>
            rows.WriteAsync(value(record, numbers), kind, cancellation);
    }

    // Arrays of arrays must be of one length in PostgreSQL, so in a statement a row's list travels as its text.
    private sealed class Numbers(string name, Func<UsageRecord, string[]> value) : UsageColumn(name, "text")
    {
        public override string Expression => $"{Name}::int[]";

        public override NpgsqlParameter Parameter(IReadOnlyList<UsageRecord> records, NameNumbers numbers) => new NpgsqlParameter<string?[]>
        {
            TypedValue = [.. records.Select(record => numbers.Of(value(record)) is { } list ? NameNumbers.TextOf(list) : null)],
            NpgsqlDbType = NpgsqlDbType.Text | NpgsqlDbType.Array,
        };

        public override Task CopyAsync(NpgsqlBinaryImporter rows, UsageRecord record, NameNumbers numbers, CancellationToken cancellation) =>
            rows.WriteAsync(numbers.Of(value(record)), NpgsqlDbType.Integer | NpgsqlDbType.Array, cancellation);
    }
}
