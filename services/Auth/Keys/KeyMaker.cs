using System.Security.Cryptography;

namespace Gateway.Auth.Keys;

/// <summary>Makes keys and their short names.</summary>
internal static class KeyMaker
{
    /// <summary>An own key shorter than this can be guessed.</summary>
    public const int OwnKeyCharactersMin = 16;

    /// <summary>No key is longer; a longer text is an unknown key without a look at the database.</summary>
    public const int KeyCharactersMax = 512;

    private static readonly System.Buffers.SearchValues<char> LowerHex = System.Buffers.SearchValues.Create("0123456789abcdef");

    private const string UrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary><c>sk-</c> and 32 random characters: 192 bits.</summary>
    public static string NewKey() => "sk-" + RandomNumberGenerator.GetString(UrlSafe, 32);

    /// <summary>What a list shows of a key: <c>sk-...abcd</c>. Four characters of a short key would be too much of it.</summary>
    public static string NameOf(string key) => key.Length >= OwnKeyCharactersMin ? $"sk-...{key[^4..]}" : "sk-...";

    /// <summary>Whether a text has the form of a public id (and so is not a key).</summary>
    public static bool IsKeyId(string text) => text.Length == 64 && !text.AsSpan().ContainsAnyExcept(LowerHex);
}
