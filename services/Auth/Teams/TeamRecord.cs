using System.Text.Json.Serialization;
using Gateway.Auth.Access;
using Gateway.Contracts;

namespace Gateway.Auth.Teams;

/// <summary>A team as it is stored.</summary>
internal sealed record TeamRecord
{
    public required string TeamId { get; init; }

    public string? TeamAlias { get; init; }

    public string? OrganizationId { get; init; }

    public Allowance Allowance { get; init; } = new();

    public string Metadata { get; init; } = "{}";

    public bool Blocked { get; init; }

    public required Stamp Stamp { get; init; }
}

/// <summary>A user in a team, with what it may spend there.</summary>
internal sealed record TeamMember
{
    public required string TeamId { get; init; }

    public required string UserId { get; init; }

    /// <summary><c>admin</c> or <c>user</c>.</summary>
    public string Role { get; init; } = "user";

    public Money? MaxBudget { get; init; }

    public string? BudgetDuration { get; init; }

    public long? RpmLimit { get; init; }

    public long? TpmLimit { get; init; }

    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>What its budget and limits are called.</summary>
    public static string OwnerOf(string team, string user) =>
        // A colon in a team's name must not make two members one: the percent sign is in no id.
        BudgetId.Of("team_member", $"{team.Replace(":", "%3A", StringComparison.Ordinal)}:{user}");
}
