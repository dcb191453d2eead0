using System.Security.Cryptography;
using System.Text;
using Gateway.Auth.Configuration;

namespace Gateway.Auth.Keys;

/// <summary>A key's hash and the pepper that made it.</summary>
internal readonly record struct KeyHash(string PepperId, byte[] Hash);

/// <summary>
/// The secrets that turn keys into the hashes that are stored (<c>Gateway:KeyPepper</c>): <c>id1:base64,id2:base64</c>, or one plain text.
/// The first makes new hashes; all are tried. A key found under an older one is hashed anew with the first, so that the older one can go
/// when no key needs it any more.
/// <para>
/// Rotating without an outage takes two rollouts: first <c>old,new</c> everywhere (every process then knows the new one), then
/// <c>new,old</c>. The other way round, a process that has only the old one would not find the keys that another has hashed anew.
/// </para>
/// </summary>
internal sealed class KeyPeppers
{
    private const int PepperBytesMin = 16;
    private const int PeppersMax = 8;

    private readonly (string Id, byte[] Value)[] peppers;

    private KeyPeppers((string Id, byte[] Value)[] peppers) => this.peppers = peppers;

    /// <summary>The id of the pepper that makes new hashes.</summary>
    public string CurrentId => peppers[0].Id;

    /// <summary>What is stored of each pepper, so that a changed value under an old id is noticed at the start.</summary>
    public IEnumerable<(string Id, byte[] Proof)> Proofs => peppers.Select(pepper => (pepper.Id, Digest(pepper.Value, "pepper proof")));

    /// <summary>Reads the setting.</summary>
    /// <exception cref="UnusableSettingsException">It is missing, too short or of neither form; the message names the remedy and not the value.</exception>
    public static KeyPeppers Parse(string? setting)
    {
        const string name = "Gateway:KeyPepper (environment GATEWAY__KEYPEPPER)";
        const string remedy = "Give id:base64 of 32 random bytes (several, separated by commas, while you rotate), for example 2026a:$(openssl rand -base64 32), and keep it: without it no stored key is known any more.";
        if (string.IsNullOrWhiteSpace(setting))
        {
            throw new UnusableSettingsException($"{name} is missing. {remedy} AppHost does that by itself.");
        }

        var parts = setting.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var read = parts.Select(ReadNamed).ToArray();
        if (read.All(pepper => pepper is not null))
        {
            var named = read.Select(pepper => pepper!.Value).ToArray();
            if (named.Length > PeppersMax || named.DistinctBy(pepper => pepper.Id).Count() != named.Length)
            {
                throw new UnusableSettingsException($"{name} names a pepper twice, or more than {PeppersMax}. {remedy}");
            }

            return named.All(pepper => pepper.Value.Length >= PepperBytesMin)
                ? new KeyPeppers(named)
                : throw new UnusableSettingsException($"{name} has a pepper of less than {PepperBytesMin} bytes. {remedy}");
        }

        if (setting.Contains(':', StringComparison.Ordinal) || setting.Contains(',', StringComparison.Ordinal))
        {
            throw new UnusableSettingsException($"{name} is neither id1:base64,id2:base64 nor one plain text without ':' and ','. {remedy}");
        }

        var plain = Encoding.UTF8.GetBytes(setting.Trim());
        return plain.Length >= PepperBytesMin
            ? new KeyPeppers([("default", plain)])
            : throw new UnusableSettingsException($"{name} is shorter than {PepperBytesMin} characters. {remedy}");
    }

    /// <summary>The hash to store for a key.</summary>
    public KeyHash Hash(string key) => new(peppers[0].Id, Digest(peppers[0].Value, key));

    /// <summary>The hashes that a key may be stored under.</summary>
    public KeyHash[] Candidates(string key) => [.. peppers.Select(pepper => new KeyHash(pepper.Id, Digest(pepper.Value, key)))];

    /// <summary>
    /// A new key's public id. <paramref name="salt"/> makes it another than that of a deleted key with the same value, whose spending it must
    /// not inherit; without one it is the same whenever it is made.
    /// </summary>
    public string NewKeyId(string key, string? salt = null) => Convert.ToHexStringLower(Digest(peppers[0].Value, $"key id\0{salt}\0{key}"));

    /// <summary>Whether two hashes are the same, in a time that does not depend on where they differ.</summary>
    public static bool AreSame(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => CryptographicOperations.FixedTimeEquals(left, right);

    /// <summary>Leaves the peppers out.</summary>
    public override string ToString() => $"KeyPeppers {{ {string.Join(", ", peppers.Select(pepper => pepper.Id))} }}";

    private static byte[] Digest(byte[] pepper, string text) => HMACSHA256.HashData(pepper, Encoding.UTF8.GetBytes(text));

    private static (string Id, byte[] Value)? ReadNamed(string part)
    {
        var colon = part.IndexOf(':', StringComparison.Ordinal);
        if (colon is < 1 or > 32 || part.AsSpan(0, colon).ContainsAnyExcept(NameCharacters))
        {
            return null;
        }

        try
        {
            return (part[..colon], Convert.FromBase64String(part[(colon + 1)..]));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
}
