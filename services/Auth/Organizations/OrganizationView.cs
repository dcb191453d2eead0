using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Auth.Access;

namespace Gateway.Auth.Organizations;

/// <summary>An organization as the admin API shows it.</summary>
internal sealed record OrganizationView : AllowanceView
{
    public string OrganizationId { get; init; } = "";

    public string? OrganizationAlias { get; init; }

    /// <summary>The ids of its teams.</summary>
    public string[] Teams { get; init; } = [];

    public static OrganizationView Of(OrganizationRecord organization, DateTimeOffset now, string timeZone) => new OrganizationView
    {
        OrganizationId = organization.OrganizationId,
        OrganizationAlias = organization.OrganizationAlias,
        Blocked = organization.Blocked,
    }.Fill(organization.Allowance, organization.Stamp, organization.Metadata, now, timeZone);

    public static string Image(OrganizationRecord organization) =>
        JsonSerializer.Serialize(Of(organization, organization.Stamp.UpdatedAt, "UTC") with { BudgetResetAt = null }, AuthJson.Default.OrganizationView);
}

/// <summary>Answer of <c>POST /organization/delete</c>.</summary>
internal sealed record DeletedOrganizations([property: JsonPropertyName("deleted_organizations")] string[] Organizations);
