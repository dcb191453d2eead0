using System.Runtime.InteropServices;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Ingest;

/// <summary>What the records of a batch add to the roll-ups: a sum for each combination of owners, model and tags on a day.</summary>
internal sealed class UsageSums
{
    /// <summary>The sums, as rows of a statement.</summary>
    private static readonly TableRows<Group> Table = new(
    [
        TableColumn.Date("day", static (Group group) => group.Owners.Day),
        Number("key_no", static owners => owners.Key),
        Number("alias_no", static owners => owners.Alias),
        Number("user_no", static owners => owners.User),
        Number("team_no", static owners => owners.Team),
        Number("organization_no", static owners => owners.Organization),
        Number("end_user_no", static owners => owners.EndUser),
        Number("model_no", static owners => owners.Model),
        Number("provider_no", static owners => owners.Provider),
        Number("provider_model_no", static owners => owners.ProviderModel),
        TableColumn.Text("tags", static (Group group) => group.Owners.Tags),
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

    private readonly Dictionary<Owners, Sums> groups = [];

    /// <summary>The sums as rows of a statement that has <see cref="Parameters"/>.</summary>
    public static string Unnest => Table.Unnest;

    /// <exception cref="OverflowException">A sum of the records is more than 8 bytes can hold.</exception>
    public static UsageSums Of(IEnumerable<NumberedRecord> rows)
    {
        var sums = new UsageSums();
        foreach (var (record, numbers) in rows)
        {
            var owners = new Owners(
                DateOnly.FromDateTime(record.StartedAt.UtcDateTime), numbers.Of(record.KeyId), numbers.Of(record.KeyAlias), numbers.Of(record.UserId),
                numbers.Of(record.TeamId), numbers.Of(record.OrganizationId), numbers.Of(record.EndUser), numbers.Of(record.Model), numbers.Of(record.Provider),
                numbers.Of(record.ProviderModel), numbers.Of(record.Tags) is { } tags ? NameNumbers.TextOf(tags) : null);
            CollectionsMarshal.GetValueRefOrAddDefault(sums.groups, owners, out _).Add(record);
        }

        return sums;
    }

    /// <summary>The parameters of <see cref="Table"/>.</summary>
    public IEnumerable<NpgsqlParameter> Parameters() => Table.Parameters([.. groups.Select(static group => new Group(group.Key, group.Value))]);

    private static TableColumn<Group> Number(string name, Func<Owners, int> value) => TableColumn.Int(name, (Group group) => value(group.Owners));

    private static TableColumn<Group> Sum(string name, Func<Sums, long> value) => TableColumn.BigInt(name, (Group group) => value(group.Sums));

    private readonly record struct Group(Owners Owners, Sums Sums);

    private readonly record struct Owners(
        DateOnly Day, int Key, int Alias, int User, int Team, int Organization, int EndUser, int Model, int Provider, int ProviderModel, string? Tags);

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
