using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>The conditions of a report. Values are always parameters; only text of ours becomes SQL.</summary>
internal sealed class Where
{
    private readonly List<string> conditions = [];
    private readonly List<object> values = [];

    /// <summary>Adds a condition; <c>?</c> stands for the value.</summary>
    public Where And(string condition, object value)
    {
        values.Add(value);
        conditions.Add(condition.Replace("?", $"${values.Count}", StringComparison.Ordinal));
        return this;
    }

    /// <summary>Adds a condition without a value.</summary>
    public Where And(string condition)
    {
        conditions.Add(condition);
        return this;
    }

    /// <summary>
    /// A column that holds a name's number. A name that nobody has ever used matches nothing, nor does the empty one. It is said twice that there
    /// is one, so that an index of the rows that have one is found.
    /// </summary>
    public Where AndName(string column, string name) =>
        And($"{column} = (select no from names where name = ?) and {column} <> 0", Ingest.Names.Clean(name));

    /// <summary>A value outside of the conditions, such as a limit: its placeholder.</summary>
    public string Value(object value)
    {
        values.Add(value);
        return $"${values.Count}";
    }

    /// <summary>The clause; to be read before or after <see cref="Value"/>, as it suits.</summary>
    public override string ToString() => conditions.Count == 0 ? "" : "where " + string.Join(" and ", conditions);

    public void Bind(NpgsqlCommand command)
    {
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
    }
}
