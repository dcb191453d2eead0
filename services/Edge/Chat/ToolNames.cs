using System.Security.Cryptography;
using System.Text;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>Names of tools that are longer than OpenAI and most others take: the beginning and a hash, and in the answer the tool's own name again.</summary>
internal static class ToolNames
{
    private const int LengthMax = 64;
    private const int HashLength = 8;

    /// <summary>The name, cut where it is too long. The same name gives the same.</summary>
    public static string? Fit(string? name) => name is null || name.Length <= LengthMax
        ? name
        : $"{name[..(LengthMax - HashLength - 1)]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..HashLength]}";

    /// <summary>The name as it stands among the request's <c>tools</c>.</summary>
    public static string Restore(string name, ReadOnlyMemory<byte> request)
    {
        if (name.Length != LengthMax || name[^(HashLength + 1)] != '_')
        {
            return name;
        }

        using var document = ChatRequest.Parse(request);
        return document.RootElement.Field("tools"u8).Items().Select(static tool => tool.Field("name"u8).Text()).FirstOrDefault(own => Fit(own) == name) ?? name;
    }
}
