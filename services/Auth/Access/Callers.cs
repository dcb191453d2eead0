using Gateway.Auth.Keys;
using Gateway.Contracts;

namespace Gateway.Auth.Access;

/// <summary>What a caller may see.</summary>
internal static class Callers
{
    public static bool SeesAll(AccessSnapshot caller) => caller.Role is CallerRole.ProxyAdmin or CallerRole.ProxyAdminViewer;

    /// <summary>Whether a key is the caller's own, or one of its user's.</summary>
    public static bool Owns(AccessSnapshot caller, KeyRecord key) =>
        key.KeyId == caller.KeyId || (caller.UserId is { } user && key.UserId == user);
}

/// <summary>What config.yaml says for every snapshot and answer.</summary>
internal sealed class AccessDefaults
{
    private volatile string timeZone = "UTC";
    private volatile object? maxParallelRequests;

    /// <summary>The time zone that budgets are aligned to.</summary>
    public string TimeZone => timeZone;

    /// <summary>Requests at once for a key that states none of its own; null for no limit.</summary>
    public long? MaxParallelRequests => (long?)maxParallelRequests;

    public void Set(string zone, long? parallel) => (timeZone, maxParallelRequests) = (zone, parallel);
}
