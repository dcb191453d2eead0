using System.Globalization;
using Gateway.Contracts;

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

    public static string TextOf(int[] numbers) => "{" + string.Join(',', numbers.Select(static no => no.ToString(CultureInfo.InvariantCulture))) + "}";
}
