using System.Runtime.InteropServices;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Metering.Ingest;

/// <summary>What the records of a batch add to the roll-ups: a sum for each combination of owners, model and tags on a day.</summary>
internal sealed class UsageSums
{
    private readonly Dictionary<Owners, Sums> groups = [];

    /// <exception cref="OverflowException">A sum of the records is more than 8 bytes can hold.</exception>
    public static UsageSums Of(IReadOnlyList<UsageRecord> records, NameNumbers numbers)
    {
        var sums = new UsageSums();
        foreach (var record in records)
        {
            var owners = new Owners(
                DateOnly.FromDateTime(record.StartedAt.UtcDateTime), numbers.Of(record.KeyId), numbers.Of(record.KeyAlias), numbers.Of(record.UserId),
                numbers.Of(record.TeamId), numbers.Of(record.OrganizationId), numbers.Of(record.EndUser), numbers.Of(record.Model), numbers.Of(record.Provider),
                numbers.Of(record.ProviderModel), numbers.Of(record.Tags) is { } tags ? NameNumbers.TextOf(tags) : null);
            CollectionsMarshal.GetValueRefOrAddDefault(sums.groups, owners, out _).Add(record);
        }

        return sums;
    }

    /// <summary>The parameters of <see cref="UsageStore"/>'s roll-ups, in their order.</summary>
    public IEnumerable<NpgsqlParameter> Parameters()
    {
        yield return Column(NpgsqlDbType.Date, static (owners, _) => owners.Day);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Key);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Alias);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.User);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Team);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Organization);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.EndUser);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Model);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.Provider);
        yield return Column(NpgsqlDbType.Integer, static (owners, _) => owners.ProviderModel);
        yield return Column(NpgsqlDbType.Text, static (owners, _) => owners.Tags);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Requests);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Failed);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Cost);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Prompt);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Completion);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Cached);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.CacheWrite);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Reasoning);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Duration);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Estimated);
        yield return Column(NpgsqlDbType.Bigint, static (_, sums) => sums.Unpriced);
    }

    private NpgsqlParameter<T[]> Column<T>(NpgsqlDbType type, Func<Owners, Sums, T> value) =>
        new() { TypedValue = [.. groups.Select(group => value(group.Key, group.Value))], NpgsqlDbType = type | NpgsqlDbType.Array };

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
