using System.Security.Cryptography;
using System.Text;
using Gateway.Contracts;

namespace Gateway.Auth.Keys;

/// <summary>
/// The administrator's key, from <c>general_settings.master_key</c> or <c>Gateway:MasterKey</c>. It is not in the database: it works while
/// the database is down, and rotating it leaves nothing behind.
/// </summary>
internal sealed class MasterKey
{
    /// <summary>A shorter one can be guessed, and it opens everything.</summary>
    public const int CharactersMin = 16;

    /// <summary>The public id: the same for every master key, so that its usage stays together over a rotation.</summary>
    public static readonly string Id = Convert.ToHexStringLower(SHA256.HashData("gateway master key"u8));

    // Compared as digests: comparing texts of different lengths would tell the length.
    private volatile byte[]? digest;

    /// <summary>Whether there is one.</summary>
    public bool IsSet => digest is not null;

    /// <summary>Puts another in force; null for none.</summary>
    public void Set(string? key) => digest = key is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    public bool Is(string key) => digest is { } known && CryptographicOperations.FixedTimeEquals(known, SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Every model, every route, no budgets.</summary>
    public static AccessSnapshot Snapshot(long revision) => new()
    {
        KeyId = Id,
        KeyAlias = "master-key",
        Role = CallerRole.ProxyAdmin,
        Status = KeyStatus.Active,
        Revision = revision,
    };

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => "MasterKey { *** }";
}
