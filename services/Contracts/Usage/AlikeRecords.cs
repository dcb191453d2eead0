using System.Runtime.CompilerServices;

namespace Gateway.Contracts;

/// <summary>
/// Tells whether two records have the same texts and lists, and so the same owners, model, price and budget windows: the same objects, which
/// equal ones of one batch are (<see cref="UsageBatch.Read"/>). What is made of these alone is then made once, and not for every record.
/// Records of two batches are not alike, nor need those of one be: who asks must be right without it.
/// </summary>
public sealed class AlikeRecords : IEqualityComparer<UsageRecord>
{
    private AlikeRecords()
    {
    }

    /// <summary>The only one.</summary>
    public static AlikeRecords Comparer { get; } = new();

    /// <inheritdoc />
    public bool Equals(UsageRecord? x, UsageRecord? y) => ReferenceEquals(x, y)
        || (x is not null && y is not null
            && ReferenceEquals(x.EdgeId, y.EdgeId) && ReferenceEquals(x.CallType, y.CallType)
            && ReferenceEquals(x.KeyId, y.KeyId) && ReferenceEquals(x.KeyAlias, y.KeyAlias)
            && ReferenceEquals(x.UserId, y.UserId) && ReferenceEquals(x.TeamId, y.TeamId) && ReferenceEquals(x.OrganizationId, y.OrganizationId)
            && ReferenceEquals(x.EndUser, y.EndUser) && ReferenceEquals(x.Tags, y.Tags)
            && ReferenceEquals(x.Model, y.Model) && ReferenceEquals(x.DeploymentId, y.DeploymentId)
            && ReferenceEquals(x.Provider, y.Provider) && ReferenceEquals(x.ProviderModel, y.ProviderModel)
            && ReferenceEquals(x.Credential, y.Credential) && ReferenceEquals(x.Price, y.Price) && ReferenceEquals(x.BudgetWindows, y.BudgetWindows));

    /// <inheritdoc />
    public int GetHashCode(UsageRecord obj) => HashCode.Combine(
        RuntimeHelpers.GetHashCode(obj.KeyId), RuntimeHelpers.GetHashCode(obj.Model), RuntimeHelpers.GetHashCode(obj.DeploymentId),
        RuntimeHelpers.GetHashCode(obj.EndUser), RuntimeHelpers.GetHashCode(obj.BudgetWindows));
}
