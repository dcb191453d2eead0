using System.Globalization;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Metering.Ingest;

/// <summary>The numbers of what a record names: the same for records that are alike (<see cref="AlikeRecords"/>).</summary>
internal sealed class NameNumbers
{
    /// <param name="record">The record.</param>
    /// <param name="numbers">The numbers of all names of its batch.</param>
    public NameNumbers(UsageRecord record, IReadOnlyDictionary<string, int> numbers)
    {
        Key = Of(record.KeyId);
        Alias = Of(record.KeyAlias);
        User = Of(record.UserId);
        Team = Of(record.TeamId);
        Organization = Of(record.OrganizationId);
        EndUser = Of(record.EndUser);
        Model = Of(record.Model);
        Deployment = Of(record.DeploymentId);
        Provider = Of(record.Provider);
        ProviderModel = Of(record.ProviderModel);
        CallType = Of(record.CallType);
        Edge = Of(record.EdgeId);
        Price = Of(record.Price);
        Credential = Of(record.Credential);
        Tags = ListOf(record.Tags);
        Windows = ListOf(record.BudgetWindows);

        int Of(string? name) => numbers[Names.Clean(name)];
        int[]? ListOf(string[] names) => names.Length == 0 ? null : [.. names.Select(Of).Where(static no => no != Names.None).Distinct()];
    }

    public int Key { get; }

    public int Alias { get; }

    public int User { get; }

    public int Team { get; }

    public int Organization { get; }

    public int EndUser { get; }

    public int Model { get; }

    public int Deployment { get; }

    public int Provider { get; }

    public int ProviderModel { get; }

    public int CallType { get; }

    public int Edge { get; }

    public int Price { get; }

    public int Credential { get; }

    /// <summary>Null where there are none.</summary>
    public int[]? Tags { get; }

    /// <inheritdoc cref="Tags" />
    public int[]? Windows { get; }

    /// <summary>The columns that have a record's owners, its model and provider in the table of records and in the sums.</summary>
    public static IEnumerable<TableColumn<TRow>> OwnerColumns<TRow>(Func<TRow, NameNumbers> numbers) =>
    [
        TableColumn.Int("key_no", (TRow row) => numbers(row).Key),
        TableColumn.Int("alias_no", (TRow row) => numbers(row).Alias),
        TableColumn.Int("user_no", (TRow row) => numbers(row).User),
        TableColumn.Int("team_no", (TRow row) => numbers(row).Team),
        TableColumn.Int("organization_no", (TRow row) => numbers(row).Organization),
        TableColumn.Int("end_user_no", (TRow row) => numbers(row).EndUser),
        TableColumn.Int("model_no", (TRow row) => numbers(row).Model),
        TableColumn.Int("provider_no", (TRow row) => numbers(row).Provider),
        TableColumn.Int("provider_model_no", (TRow row) => numbers(row).ProviderModel),
    ];

    /// <summary>The names that the record's numbers are of, as they are stored.</summary>
    public static IEnumerable<string> NamesOf(UsageRecord record) => new[]
    {
        record.KeyId, record.KeyAlias, record.UserId, record.TeamId, record.OrganizationId, record.EndUser, record.Model, record.DeploymentId,
        record.Provider, record.ProviderModel, record.CallType, record.EdgeId, record.Price, record.Credential,
    }.Concat(record.Tags).Concat(record.BudgetWindows).Select(Names.Clean);

    public static string TextOf(int[] numbers) => "{" + string.Join(',', numbers.Select(static no => no.ToString(CultureInfo.InvariantCulture))) + "}";
}
