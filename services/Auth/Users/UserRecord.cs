using Gateway.Auth.Access;
using Gateway.Contracts;

namespace Gateway.Auth.Users;

/// <summary>A user as it is stored.</summary>
internal sealed record UserRecord
{
    public required string UserId { get; init; }

    public string? UserAlias { get; init; }

    public string? UserEmail { get; init; }

    public CallerRole Role { get; init; } = CallerRole.InternalUser;

    public string? OrganizationId { get; init; }

    public Allowance Allowance { get; init; } = new();

    public string Metadata { get; init; } = "{}";

    /// <summary>An administrator blocked it.</summary>
    public bool Blocked { get; init; }

    /// <summary>config.yaml declares it.</summary>
    public bool Declared { get; init; }

    /// <summary>config.yaml declared it and does so no more.</summary>
    public bool Disabled { get; init; }

    public required Stamp Stamp { get; init; }
}

/// <summary>Roles by LiteLLM's names.</summary>
internal static class Roles
{
    public const string Names = "proxy_admin, proxy_admin_viewer, org_admin, internal_user or internal_user_viewer";

    public static bool TryParse(string name, out CallerRole role)
    {
        CallerRole? found = name switch
        {
            "proxy_admin" => CallerRole.ProxyAdmin,
            "proxy_admin_viewer" => CallerRole.ProxyAdminViewer,
            "org_admin" => CallerRole.OrganizationAdmin,
            "internal_user" => CallerRole.InternalUser,
            "internal_user_viewer" => CallerRole.InternalUserViewer,
            _ => null,
        };
        role = found ?? CallerRole.InternalUser;
        return found is not null;
    }

    /// <summary>A role as it is stored; one that this version does not know may least.</summary>
    public static CallerRole Of(string? stored) => stored is not null && TryParse(stored, out var role) ? role : CallerRole.InternalUser;

    public static string NameOf(CallerRole role) => role switch
    {
        CallerRole.ProxyAdmin => "proxy_admin",
        CallerRole.ProxyAdminViewer => "proxy_admin_viewer",
        CallerRole.OrganizationAdmin => "org_admin",
        CallerRole.InternalUserViewer => "internal_user_viewer",
        _ => "internal_user",
    };
}
