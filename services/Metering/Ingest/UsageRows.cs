using System.Text.Json;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Metering.Ingest;

/// <summary>What records are as rows of <c>usage_records</c>, and what must be there before a batch of them.</summary>
internal sealed class UsageRows
{
    /// <summary>The rows of the table.</summary>
    public static readonly TableRows<NumberedRecord> Table = new(
    [
        TableColumn.Timestamp("started_at", static (NumberedRecord row) => row.Record.StartedAt.UtcDateTime),
        TableColumn.Uuid("request_id", static (NumberedRecord row) => row.Record.RequestId),
        Count("duration_us", static record => record.DurationMicroseconds),
        Count("first_byte_us", static record => record.FirstByteMicroseconds),
        Count("cost", static record => record.Cost.NanoDollars),
        Count("input", static record => record.Tokens.Input),
        Count("output", static record => record.Tokens.Output),
        RareCount("cached_input", static record => record.Tokens.CachedInput),
        RareCount("cache_write_5m", static record => record.Tokens.CacheWrite5m),
        RareCount("cache_write_1h", static record => record.Tokens.CacheWrite1h),
        RareCount("input_audio", static record => record.Tokens.InputAudio),
        RareCount("reasoning", static record => record.Tokens.Reasoning),
        RareCount("output_audio", static record => record.Tokens.OutputAudio),
        RareCount("images", static record => record.Tokens.Images),
        .. NameNumbers.OwnerColumns(static (NumberedRecord row) => row.Numbers),
        Number("deployment_no", static numbers => numbers.Deployment),
        Number("call_type_no", static numbers => numbers.CallType),
        Number("edge_no", static numbers => numbers.Edge),
        Number("price_no", static numbers => numbers.Price),
        Number("credential_no", static numbers => numbers.Credential),
        TableColumn.SmallInt("status", static (NumberedRecord row) => StatusOf(row.Record)),
        TableColumn.SmallInt("outcome", static (NumberedRecord row) => (short)row.Record.Outcome),
        Flag("streamed", static record => record.Streamed),
        Flag("estimated", static record => record.Estimated),
        Flag("unpriced", static record => record.Unpriced),
        NumberList("tags_no", static numbers => numbers.Tags),
        NumberList("windows_no", static numbers => numbers.Windows),
        TableColumn.Json("failed_attempts", static (NumberedRecord row) => Attempts(row.Record.FailedAttempts)),
        TableColumn.Uuid("corrects", static (NumberedRecord row) => row.Record.Corrects),
        RareCount("written_off", static record => record.WrittenOff.NanoDollars),
    ]);

    private readonly Dictionary<UsageRecord, NameNumbers?> alike = new(AlikeRecords.Comparer);

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
        foreach (var record in records)
        {
            rows.Days.Add(DateOnly.FromDateTime(record.StartedAt.UtcDateTime));
            var end = record.StartedAt.AddTicks(Math.Clamp(record.DurationMicroseconds, 0, TimeSpan.FromDays(1).Ticks / 10) * 10);
            rows.NewestEnd = end > rows.NewestEnd ? end : rows.NewestEnd;
            if (rows.alike.TryAdd(record, null))
            {
                rows.Names.UnionWith(NameNumbers.NamesOf(record));
            }
        }

        return rows;
    }

    /// <summary>The records with the numbers of what they name.</summary>
    public NumberedRecord[] Numbered(IReadOnlyList<UsageRecord> records, IReadOnlyDictionary<string, int> numbers) =>
        [.. records.Select(record => new NumberedRecord(record, alike[record] ??= new(record, numbers)))];

    /// <summary>Whether a request did not succeed: what a roll-up counts as failed.</summary>
    public static bool Failed(UsageRecord record) => record.Outcome != UsageOutcome.Completed || record.Status >= 400;

    private static TableColumn<NumberedRecord> Count(string name, Func<UsageRecord, long> value) =>
        TableColumn.BigInt(name, (NumberedRecord row) => value(row.Record));

    // A count that most requests do not have: null is 0 and takes no space.
    private static TableColumn<NumberedRecord> RareCount(string name, Func<UsageRecord, long> value) =>
        TableColumn.BigInt(name, (NumberedRecord row) => value(row.Record) is var count and not 0 ? count : (long?)null);

    private static TableColumn<NumberedRecord> Flag(string name, Func<UsageRecord, bool> value) =>
        TableColumn.Boolean(name, (NumberedRecord row) => value(row.Record));

    private static TableColumn<NumberedRecord> Number(string name, Func<NameNumbers, int> value) =>
        TableColumn.Int(name, (NumberedRecord row) => value(row.Numbers));

    private static TableColumn<NumberedRecord> NumberList(string name, Func<NameNumbers, int[]?> value) =>
        TableColumn.Ints(name, (NumberedRecord row) => value(row.Numbers), NameNumbers.TextOf, $"{name}::int[]");

    private static short StatusOf(UsageRecord record) => (short)Math.Clamp(record.Status, 0, 999);

    private static string? Attempts(FailedAttempt[]? attempts) => attempts is not { Length: > 0 }
        ? null
        : JsonSerializer.Serialize(
            attempts.Select(attempt => new FailedAttempt(Ingest.Names.Clean(attempt.DeploymentId), Ingest.Names.Clean(attempt.Failure))).ToArray(),
            AttemptsJson.Default.FailedAttemptArray);
}

/// <summary>A record, and the numbers of what it names.</summary>
internal readonly record struct NumberedRecord(UsageRecord Record, NameNumbers Numbers);
