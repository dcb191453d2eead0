using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge.Admission.Access;

/// <summary>The SHA-256 of a whole key: how the cache knows a key without holding it. Never a part of the key, which could collide.</summary>
internal readonly record struct KeyHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>No key is longer: a longer one is unknown.</summary>
    public const int KeyCharactersMax = 512;

    public static KeyHash Of(ReadOnlySpan<char> key)
    {
        Span<byte> bytes = stackalloc byte[KeyCharactersMax * 3];
        Span<ulong> hash = stackalloc ulong[4];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(key, bytes)], MemoryMarshal.AsBytes(hash));
        return new KeyHash(hash[0], hash[1], hash[2], hash[3]);
    }

    public override int GetHashCode() => A.GetHashCode();
}
