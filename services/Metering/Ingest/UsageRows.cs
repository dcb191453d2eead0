using System.Text.Json;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Metering.Ingest;

/// <summary>What records are as rows of <c>usage_records</c>, and what must be there before a batch of them.</summary>
internal sealed class UsageRows
{
    /// <summary>The table's columns, in the order in which rows come to PostgreSQL.</summary>
    public static readonly IReadOnlyList<UsageColumn> Columns =
    [
        UsageColumn.Of("started_at", "timestamptz", NpgsqlDbType.TimestampTz, static record => record.StartedAt.UtcDateTime),
        UsageColumn.Of("request_id", "uuid", NpgsqlDbType.Uuid, static record => record.RequestId),
        UsageColumn.Count("duration_us", static record => record.DurationMicroseconds),
        UsageColumn.Count("first_byte_us", static record => record.FirstByteMicroseconds),
        UsageColumn.Count("cost", static record => record.Cost.NanoDollars),
        UsageColumn.Count("input", static record => record.Tokens.Input),
        UsageColumn.Count("output", static record => record.Tokens.Output),
        UsageColumn.RareCount("cached_input", static record => record.Tokens.CachedInput),
        UsageColumn.RareCount("cache_write_5m", static record => record.Tokens.CacheWrite5m),
        UsageColumn.RareCount("cache_write_1h", static record => record.Tokens.CacheWrite1h),
        UsageColumn.RareCount("input_audio", static record => record.Tokens.InputAudio),
        UsageColumn.RareCount("reasoning", static record => record.Tokens.Reasoning),
        UsageColumn.RareCount("output_audio", static record => record.Tokens.OutputAudio),
        UsageColumn.RareCount("images", static record => record.Tokens.Images),
        UsageColumn.Number("key_no", static record => record.KeyId),
        UsageColumn.Number("alias_no", static record => record.KeyAlias),
        UsageColumn.Number("user_no", static record => record.UserId),
        UsageColumn.Number("team_no", static record => record.TeamId),
        UsageColumn.Number("organization_no", static record => record.OrganizationId),
        UsageColumn.Number("end_user_no", static record => record.EndUser),
        UsageColumn.Number("model_no", static record => record.Model),
        UsageColumn.Number("deployment_no", static record => record.DeploymentId),
        UsageColumn.Number("provider_no", static record => record.Provider),
        UsageColumn.Number("provider_model_no", static record => record.ProviderModel),
        UsageColumn.Number("call_type_no", static record => record.CallType),
        UsageColumn.Number("edge_no", static record => record.EdgeId),
        UsageColumn.Number("price_no", static record => record.Price),
        UsageColumn.Number("credential_no", static record => record.Credential),
        UsageColumn.Of("status", "smallint", NpgsqlDbType.Smallint, static record => StatusOf(record)),
        UsageColumn.Of("outcome", "smallint", NpgsqlDbType.Smallint, static record => (short)record.Outcome),
        UsageColumn.Flag("streamed", static record => record.Streamed),
        UsageColumn.Flag("estimated", static record => record.Estimated),
        UsageColumn.Flag("unpriced", static record => record.Unpriced),
        UsageColumn.NumberList("tags_no", static record => record.Tags),
        UsageColumn.NumberList("windows_no", static record => record.BudgetWindows),
        UsageColumn.Of("failed_attempts", "jsonb", NpgsqlDbType.Jsonb, static record => Attempts(record.FailedAttempts)),
        UsageColumn.Of("corrects", "uuid", NpgsqlDbType.Uuid, static record => record.Corrects),
        UsageColumn.RareCount("written_off", static record => record.WrittenOff.NanoDollars),
    ];

    private UsageRows()
    {
    }

    /// <summary>The names that the records point to, each as it is stored.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>The newest record's end.</summary>
    public DateTimeOffset NewestEnd { get; private set; }

    /// <summary>The days that the records fall on.</summary>
    public HashSet<DateOnly> Days { get; } = [];

    public static UsageRows From(IReadOnlyList<UsageRecord> records)
    {
        var rows = new UsageRows();
        // Mostly a record has the same text, and the same object (UsageBatch), as the one before it.
        var before = new string?[14];
        foreach (var record in records)
        {
            rows.Days.Add(DateOnly.FromDateTime(record.StartedAt.UtcDateTime));
            var end = record.StartedAt.AddTicks(Math.Clamp(record.DurationMicroseconds, 0, TimeSpan.FromDays(1).Ticks / 10) * 10);
            rows.NewestEnd = end > rows.NewestEnd ? end : rows.NewestEnd;
            ReadOnlySpan<string?> texts =
            [
                record.KeyId, record.KeyAlias, record.UserId, record.TeamId, record.OrganizationId, record.EndUser, record.Model, record.DeploymentId,
                record.Provider, record.ProviderModel, record.CallType, record.EdgeId, record.Price, record.Credential,
            ];
            for (var place = 0; place < texts.Length; place++)
            {
                if (!ReferenceEquals(before[place], texts[place]))
                {
                    before[place] = texts[place];
                    rows.Names.Add(Ingest.Names.Clean(texts[place]));
                }
            }

            foreach (var text in record.Tags.Concat(record.BudgetWindows))
            {
                rows.Names.Add(Ingest.Names.Clean(text));
            }
        }

        return rows;
    }

    /// <summary>Whether a request did not succeed: what a roll-up counts as failed.</summary>
    public static bool Failed(UsageRecord record) => record.Outcome != UsageOutcome.Completed || record.Status >= 400;

    private static short StatusOf(UsageRecord record) => (short)Math.Clamp(record.Status, 0, 999);

    private static string? Attempts(FailedAttempt[]? attempts) => attempts is not { Length: > 0 }
        ? null
        : JsonSerializer.Serialize(
            attempts.Select(attempt => new FailedAttempt(Ingest.Names.Clean(attempt.DeploymentId), Ingest.Names.Clean(attempt.Failure))).ToArray(),
            AttemptsJson.Default.FailedAttemptArray);
}
