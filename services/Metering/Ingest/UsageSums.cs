using System.Runtime.InteropServices;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Ingest;

/// <summary>
/// What the records of a batch add to the roll-ups: a sum for records that are alike (<see cref="AlikeRecords"/>) on a day. Two sums may be of
/// the same owners, model and tags; the statement adds them up.
/// </summary>
internal sealed class UsageSums
{
    /// <summary>The sums, as rows of a statement.</summary>
    private static readonly TableRows<Group> Table = new(
    [
        TableColumn.Date("day", static (Group group) => group.Day),
        .. NameNumbers.OwnerColumns(static (Group group) => group.Numbers),
        TableColumn.Text("tags", static (Group group) => group.Numbers.Tags is { } tags ? NameNumbers.TextOf(tags) : null),
        Sum("requests", static sums => sums.Requests),
        Sum("failed", static sums => sums.Failed),
        Sum("cost", static sums => sums.Cost),
        Sum("prompt", static sums => sums.Prompt),
        Sum("completion", static sums => sums.Completion),
        Sum("cached", static sums => sums.Cached),
        Sum("cache_write", static sums => sums.CacheWrite),
        Sum("reasoning", static sums => sums.Reasoning),
        Sum("duration_us", static sums => sums.Duration),
        Sum("estimated", static sums => sums.Estimated),
        Sum("unpriced", static sums => sums.Unpriced),
    ]);

    private readonly Dictionary<(DateOnly Day, NameNumbers Numbers), Sums> groups = [];

    /// <summary>The sums as rows of a statement that has <see cref="Parameters"/>.</summary>
    public static string Unnest => Table.Unnest;

    /// <exception cref="OverflowException">A sum of the records is more than 8 bytes can hold.</exception>
    public static UsageSums Of(IEnumerable<NumberedRecord> rows)
    {
        var sums = new UsageSums();
        foreach (var (record, numbers) in rows)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(sums.groups, (DateOnly.FromDateTime(record.StartedAt.UtcDateTime), numbers), out _).Add(record);
        }

        return sums;
    }

    /// <summary>The parameters of <see cref="Table"/>.</summary>
    public IEnumerable<NpgsqlParameter> Parameters() => Table.Parameters([.. groups.Select(static group => new Group(group.Key.Day, group.Key.Numbers, group.Value))]);

    private static TableColumn<Group> Sum(string name, Func<Sums, long> value) => TableColumn.BigInt(name, (Group group) => value(group.Sums));

    private readonly record struct Group(DateOnly Day, NameNumbers Numbers, Sums Sums);

    private struct Sums
    {
        public long Requests;
        public long Failed;
        public long Cost;
        public long Prompt;
        public long Completion;
        public long Cached;
        public long CacheWrite;
        public long Reasoning;
        public long Duration;
        public long Estimated;
        public long Unpriced;

        public void Add(UsageRecord record)
        {
            var tokens = record.Tokens;
            checked
            {
                Requests++;
                Failed += UsageRows.Failed(record) ? 1 : 0;
                Cost += record.Cost.NanoDollars;
                Prompt += tokens.Input + tokens.CachedInput + tokens.CacheWrite5m + tokens.CacheWrite1h + tokens.InputAudio;
                Completion += tokens.Output + tokens.Reasoning + tokens.OutputAudio;
                Cached += tokens.CachedInput;
                CacheWrite += tokens.CacheWrite5m + tokens.CacheWrite1h;
                Reasoning += tokens.Reasoning;
                Duration += record.DurationMicroseconds;
                Estimated += record.Estimated ? 1 : 0;
                Unpriced += record.Unpriced ? 1 : 0;
            }
        }
    }
}
