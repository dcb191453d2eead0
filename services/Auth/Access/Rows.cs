using System.Text.Json;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Access;

/// <summary>When and by whom a row was made and changed, and the number of the change that it had last.</summary>
internal sealed record Stamp(long Revision, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset UpdatedAt, string UpdatedBy)
{
    public static Stamp New(AccessTransaction transaction, long revision) =>
        new(revision, transaction.Now, transaction.Actor.Name, transaction.Now, transaction.Actor.Name);

    public Stamp Changed(AccessTransaction transaction, long revision) =>
        this with { Revision = revision, UpdatedAt = transaction.Now, UpdatedBy = transaction.Actor.Name };
}

/// <summary>Writes a whole row under its primary key. Names are this program's own; every value is a parameter.</summary>
internal sealed class RowWriter(string table, params string[] key)
{
    private readonly List<string> columns = [];
    private readonly List<string> kept = [];
    private readonly List<NpgsqlParameter> values = [];

    public RowWriter Set(string column, object? value, NpgsqlDbType type)
    {
        columns.Add(column);
        values.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        return this;
    }

    /// <summary>A column that only a new row gets: an existing one keeps its own.</summary>
    public RowWriter SetOnce(string column, object? value, NpgsqlDbType type)
    {
        kept.Add(column);
        return Set(column, value, type);
    }

    public RowWriter Text(string column, string? value) => Set(column, value, NpgsqlDbType.Text);

    public RowWriter Flag(string column, bool value) => Set(column, value, NpgsqlDbType.Boolean);

    public RowWriter Texts(string column, string[]? value) => Set(column, value, NpgsqlDbType.Array | NpgsqlDbType.Text);

    public RowWriter Number(string column, long? value) => Set(column, value, NpgsqlDbType.Bigint);

    public RowWriter Amount(string column, Money? value) => Number(column, value?.NanoDollars);

    public RowWriter Json(string column, string value) => Set(column, value, NpgsqlDbType.Jsonb);

    public RowWriter Time(string column, DateTimeOffset? value) => Set(column, value?.ToUniversalTime(), NpgsqlDbType.TimestampTz);

    public RowWriter Allowance(Allowance allowance) => this
        .Texts("models", allowance.Models)
        .Amount("max_budget", allowance.MaxBudget)
        .Amount("soft_budget", allowance.SoftBudget)
        .Text("budget_duration", allowance.BudgetDuration)
        .Json("model_max_budget", allowance.ModelMaxBudget)
        .Json("credentials", allowance.Credentials)
        .Amount("temp_budget_increase", allowance.TempBudgetIncrease)
        .Time("temp_budget_expiry", allowance.TempBudgetExpiry)
        .Json("budget_limits", JsonSerializer.Serialize(allowance.BudgetLimits, AuthJson.Default.BudgetLimitArray))
        .Number("rpm_limit", allowance.RpmLimit)
        .Number("tpm_limit", allowance.TpmLimit)
        .Number("max_parallel_requests", allowance.MaxParallelRequests);

    public RowWriter Stamp(Stamp stamp) => this
        .Number("revision", stamp.Revision)
        .Time("created_at", stamp.CreatedAt)
        .Text("created_by", stamp.CreatedBy)
        .Time("updated_at", stamp.UpdatedAt)
        .Text("updated_by", stamp.UpdatedBy);

    public async Task SaveAsync(AccessTransaction transaction, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into {table} ({string.Join(", ", columns)}) values ({string.Join(", ", columns.Select((_, index) => $"${index + 1}"))})
            on conflict ({string.Join(", ", key)}) do update set {string.Join(", ", columns.Except(key).Except(kept).Select(column => $"{column} = excluded.{column}"))}
            """,
            transaction.Connection);
        command.Parameters.AddRange(values.ToArray());
        await command.ExecuteNonQueryAsync(cancellation);
    }
}

/// <summary>Reads columns by name; with a prefix, those of one table of a join.</summary>
internal static class RowReader
{
    public const string AllowanceColumns = "models max_budget soft_budget budget_duration budget_limits model_max_budget credentials temp_budget_increase temp_budget_expiry rpm_limit tpm_limit max_parallel_requests";

    /// <summary><c>u.models as u_models, …</c> for a table's alias.</summary>
    public static string Columns(string alias, string names) =>
        string.Join(", ", names.Split(' ').Select(name => $"{alias}.{name} as {alias}_{name}"));

    public static string? Text(this NpgsqlDataReader row, string column) => row.Read<string>(column);

    public static bool Flag(this NpgsqlDataReader row, string column) => row.Value<bool>(column) ?? false;

    public static long? Number(this NpgsqlDataReader row, string column) => row.Value<long>(column);

    public static Money? Amount(this NpgsqlDataReader row, string column) => row.Value<long>(column) is { } amount ? new Money(amount) : null;

    public static DateTimeOffset? Time(this NpgsqlDataReader row, string column) =>
        row.Value<DateTime>(column) is { } time ? new DateTimeOffset(time, TimeSpan.Zero) : null;

    public static string[]? Texts(this NpgsqlDataReader row, string column) => row.Read<string[]>(column);

    public static Allowance Allowance(this NpgsqlDataReader row, string prefix = "") => new()
    {
        Models = row.Texts(prefix + "models") ?? [],
        MaxBudget = row.Amount(prefix + "max_budget"),
        SoftBudget = row.Amount(prefix + "soft_budget"),
        BudgetDuration = row.Text(prefix + "budget_duration"),
        BudgetLimits = Limits(row.Text(prefix + "budget_limits")),
        ModelMaxBudget = row.Text(prefix + "model_max_budget") ?? "{}",
        Credentials = row.Text(prefix + "credentials") ?? "{}",
        TempBudgetIncrease = row.Amount(prefix + "temp_budget_increase"),
        TempBudgetExpiry = row.Time(prefix + "temp_budget_expiry"),
        RpmLimit = row.Number(prefix + "rpm_limit"),
        TpmLimit = row.Number(prefix + "tpm_limit"),
        MaxParallelRequests = row.Number(prefix + "max_parallel_requests"),
    };

    public static Stamp Stamp(this NpgsqlDataReader row) => new(
        row.Number("revision")!.Value, row.Time("created_at")!.Value, row.Text("created_by")!, row.Time("updated_at")!.Value, row.Text("updated_by")!);

    private static BudgetLimit[] Limits(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, AuthJson.Default.BudgetLimitArray) ?? [];

    private static T? Read<T>(this NpgsqlDataReader row, string column)
        where T : class
    {
        var ordinal = row.GetOrdinal(column);
        return row.IsDBNull(ordinal) ? null : row.GetFieldValue<T>(ordinal);
    }

    private static T? Value<T>(this NpgsqlDataReader row, string column)
        where T : struct
    {
        var ordinal = row.GetOrdinal(column);
        return row.IsDBNull(ordinal) ? null : row.GetFieldValue<T>(ordinal);
    }
}
