using Gateway.Auth.Access;

namespace Gateway.Auth.Organizations;

/// <summary>An organization as it is stored.</summary>
internal sealed record OrganizationRecord
{
    public required string OrganizationId { get; init; }

    public string? OrganizationAlias { get; init; }

    public Allowance Allowance { get; init; } = new();

    public string Metadata { get; init; } = "{}";

    public bool Blocked { get; init; }

    public required Stamp Stamp { get; init; }
}
