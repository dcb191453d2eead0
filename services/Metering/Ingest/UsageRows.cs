using System.Globalization;
using System.Text.Json;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Metering.Ingest;

/// <summary>A batch of records, turned into one array for each column: how PostgreSQL takes many rows in one statement.</summary>
internal sealed class UsageRows
{
    private readonly IReadOnlyList<UsageRecord> records;

    private UsageRows(IReadOnlyList<UsageRecord> records) => this.records = records;

    /// <summary>The names that the records point to, each as it is stored.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    public int Count => records.Count;

    /// <summary>The newest record's end.</summary>
    public DateTimeOffset NewestEnd { get; private set; }

    /// <summary>The days that the records fall on.</summary>
    public HashSet<DateOnly> Days { get; } = [];

    public static UsageRows From(IReadOnlyList<UsageRecord> records)
    {
        var rows = new UsageRows(records);
        foreach (var record in records)
        {
            rows.Days.Add(DateOnly.FromDateTime(record.StartedAt.UtcDateTime));
            var end = record.StartedAt.AddTicks(Math.Clamp(record.DurationMicroseconds, 0, TimeSpan.FromDays(1).Ticks / 10) * 10);
            rows.NewestEnd = end > rows.NewestEnd ? end : rows.NewestEnd;
            foreach (var text in (ReadOnlySpan<string?>)[
                record.KeyId, record.KeyAlias, record.UserId, record.TeamId, record.OrganizationId, record.EndUser, record.Model,
                record.DeploymentId, record.Provider, record.ProviderModel, record.CallType, record.EdgeId, record.Price, record.Credential,
                .. record.Tags, .. record.BudgetWindows])
            {
                rows.Names.Add(Ingest.Names.Clean(text));
            }
        }

        return rows;
    }

    /// <summary>The parameters of <see cref="UsageStore"/>'s statement, in its order.</summary>
    public IEnumerable<NpgsqlParameter> Parameters(IReadOnlyDictionary<string, int> numbers)
    {
        int Number(string? text) => numbers[Ingest.Names.Clean(text)];
        string? Numbers(string[] texts) => texts.Length == 0
            ? null
            : "{" + string.Join(',', texts.Select(Number).Where(no => no != Ingest.Names.None).Distinct()
                .Select(no => no.ToString(CultureInfo.InvariantCulture))) + "}";

        yield return Column(NpgsqlDbType.TimestampTz, record => record.StartedAt.UtcDateTime);
        yield return Column(NpgsqlDbType.Uuid, record => record.RequestId);
        yield return Column(NpgsqlDbType.Bigint, record => record.DurationMicroseconds);
        yield return Column(NpgsqlDbType.Bigint, record => record.FirstByteMicroseconds);
        yield return Column(NpgsqlDbType.Bigint, record => record.Cost.NanoDollars);
        yield return Column(NpgsqlDbType.Bigint, record => record.Tokens.Input);
        yield return Column(NpgsqlDbType.Bigint, record => record.Tokens.Output);
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.CachedInput));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.CacheWrite5m));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.CacheWrite1h));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.InputAudio));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.Reasoning));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.OutputAudio));
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.Tokens.Images));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.KeyId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.KeyAlias));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.UserId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.TeamId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.OrganizationId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.EndUser));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.Model));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.DeploymentId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.Provider));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.ProviderModel));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.CallType));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.EdgeId));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.Price));
        yield return Column(NpgsqlDbType.Smallint, record => (short)Math.Clamp(record.Status, 0, 999));
        yield return Column(NpgsqlDbType.Smallint, record => (short)record.Outcome);
        yield return Column(NpgsqlDbType.Boolean, record => record.Streamed);
        yield return Column(NpgsqlDbType.Boolean, record => record.Estimated);
        yield return Column(NpgsqlDbType.Boolean, record => record.Unpriced);
        // Arrays of arrays must be of one length in PostgreSQL, so a row's list travels as its text.
        yield return Column(NpgsqlDbType.Text, record => Numbers(record.Tags));
        yield return Column(NpgsqlDbType.Text, record => Numbers(record.BudgetWindows));
        yield return Column(NpgsqlDbType.Text, record => Attempts(record.FailedAttempts));
        yield return Column(NpgsqlDbType.Integer, record => Number(record.Credential));
        yield return Column(NpgsqlDbType.Uuid, record => record.Corrects);
        yield return Column(NpgsqlDbType.Bigint, record => NullIfZero(record.WrittenOff.NanoDollars));
    }

    private NpgsqlParameter<T[]> Column<T>(NpgsqlDbType type, Func<UsageRecord, T> value)
    {
        var column = new T[records.Count];
        for (var row = 0; row < column.Length; row++)
        {
            column[row] = value(records[row]);
        }

        return new NpgsqlParameter<T[]> { TypedValue = column, NpgsqlDbType = type | NpgsqlDbType.Array };
    }

    private static long? NullIfZero(long count) => count == 0 ? null : count;

    private static string? Attempts(FailedAttempt[]? attempts) => attempts is not { Length: > 0 }
        ? null
        : JsonSerializer.Serialize(
            attempts.Select(attempt => new FailedAttempt(Ingest.Names.Clean(attempt.DeploymentId), Ingest.Names.Clean(attempt.Failure))).ToArray(),
            AttemptsJson.Default.FailedAttemptArray);
}
