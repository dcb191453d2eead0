using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Chat;

/// <summary>
/// Names of tools that Anthropic or Google takes and OpenAI and most others do not, because they are too long or have dots and colons: their
/// beginning in letters, digits, underscores and hyphens, and a hash. In the answer the tool has its own name again.
/// </summary>
internal static class ToolNames
{
    private const int LengthMax = 64;
    private const int HashLength = 8;

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
    public static bool MayBeFitted(string name) => name.Length > HashLength && name[^(HashLength + 1)] == '_';

    /// <summary>The name as it stands among the request's tools.</summary>
    /// <param name="name">The name in the answer.</param>
    /// <param name="request">What the client asked.</param>
    /// <param name="toolsOf">The request's tools, each with a <c>name</c>.</param>
    public static string Restore(string name, ReadOnlyMemory<byte> request, Func<JsonElement, IEnumerable<JsonElement>> toolsOf) => new OwnToolNames(request, toolsOf).Of(name);

    private static bool IsPlain(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';
}
