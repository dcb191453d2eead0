using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge.Chat;

/// <summary>
/// Names of tools that Anthropic or Google takes and OpenAI and most others do not, because they are too long or have dots and colons: their
/// beginning in letters, digits, underscores and hyphens, and a hash. In the answer the tool has its own name again.
/// </summary>
internal static class ToolNames
{
    private const int LengthMax = 64;
    private const int HashLength = 8;

    private static readonly SearchValues<char> HashSigns = SearchValues.Create("0123456789abcdef");

    /// <summary>The name as everybody takes it. The same name gives the same.</summary>
    public static string? Fit(string? name)
    {
        if (name is null || (name.Length <= LengthMax && name.All(IsPlain)))
        {
            return name;
        }

        return WithHash(name, name);
    }

    /// <summary>A name's beginning, as everybody takes it, and a hash.</summary>
    /// <param name="name">The name.</param>
    /// <param name="hashed">What tells it from others.</param>
    public static string WithHash(string name, string hashed)
    {
        var beginning = string.Concat(name.Take(LengthMax - HashLength - 1).Select(static letter => IsPlain(letter) ? letter : '_'));
        return $"{beginning}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(hashed)))[..HashLength]}";
    }

    /// <summary>Whether a name may be one that was made to fit.</summary>
    public static bool MayBeFitted(string name) =>
        name.Length > HashLength && name[^(HashLength + 1)] == '_' && name.AsSpan(name.Length - HashLength).IndexOfAnyExcept(HashSigns) < 0;

    private static bool IsPlain(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';
}
