using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Journal;

/// <summary>Many rows as one parameter for each column: what <c>unnest</c> takes apart again.</summary>
internal static class Column
{
    public static NpgsqlParameter Of<TItem, TValue>(IReadOnlyCollection<TItem> items, Func<TItem, TValue> value, NpgsqlDbType type) =>
        new() { Value = items.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}
