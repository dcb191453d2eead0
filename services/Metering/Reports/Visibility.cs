using Gateway.Contracts;

namespace Gateway.Metering.Reports;

/// <summary>
/// Which rows a caller may see. It is part of every query, so a report cannot forget it: an administrator sees all, an organization's its
/// organization, a user its own, and a key that belongs to no user sees what it did itself.
/// </summary>
internal readonly record struct Visibility(string? Column, string Owner)
{
    public static readonly Visibility All = new(null, "");

    public static Visibility Of(AccessSnapshot caller) => caller switch
    {
        { Role: CallerRole.ProxyAdmin or CallerRole.ProxyAdminViewer } => All,
        { Role: CallerRole.OrganizationAdmin, OrganizationId: { Length: > 0 } organization } => new("organization_no", organization),
        { UserId: { Length: > 0 } user } => new("user_no", user),
        _ => new("key_no", caller.KeyId),
    };

    public Where Restrict(Where where) => Column is null ? where : where.AndName(Column, Owner);
}
