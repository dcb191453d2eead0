using Gateway.Auth.Access;

namespace Gateway.Auth.Keys;

/// <summary>A key as it is stored. The key itself is nowhere.</summary>
internal sealed record KeyRecord
{
    /// <summary>The stable public id.</summary>
    public required string KeyId { get; init; }

    public required KeyHash Hash { get; init; }

    /// <summary><c>sk-...abcd</c></summary>
    public required string KeyName { get; init; }

    public string? KeyAlias { get; init; }

    public string? UserId { get; init; }

    public string? TeamId { get; init; }

    public string? OrganizationId { get; init; }

    public Allowance Allowance { get; init; } = new();

    public DateTimeOffset? Expires { get; init; }

    public string KeyType { get; init; } = "default";

    /// <summary>Null for every route of its role.</summary>
    public string[]? AllowedRoutes { get; init; }

    public string[] Tags { get; init; } = [];

    /// <summary>JSON, kept for the admin's client.</summary>
    public string Aliases { get; init; } = "{}";

    public string Metadata { get; init; } = "{}";

    /// <summary>An administrator blocked it.</summary>
    public bool Blocked { get; init; }

    /// <summary>config.yaml declares it.</summary>
    public bool Declared { get; init; }

    /// <summary>config.yaml declared it and does so no more.</summary>
    public bool Disabled { get; init; }

    public required Stamp Stamp { get; init; }

    /// <summary>Names the key, never its hash.</summary>
    public override string ToString() => $"key {KeyId}";
}
