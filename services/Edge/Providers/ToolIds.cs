using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>The id that joins a tool's call and its result, for protocols that are particular about it: other protocols' ids may come with the conversation.</summary>
internal static class ToolIds
{
    /// <summary>The id in letters, digits, underscores and hyphens; one that is too long as its hash. The same id gives the same.</summary>
    /// <param name="id">OpenAI's id.</param>
    /// <param name="lengthMax">How many characters the protocol takes; at least 64, which is what a hash has.</param>
    /// <exception cref="UntranslatableRequestException">There is none.</exception>
    public static string Fit(JsonElement id, int lengthMax)
    {
        var text = id.Text() ?? throw new UntranslatableRequestException("A tool call and its result need an id.", "messages.tool_call_id");
        return text.Length > lengthMax
            ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))
            : string.Create(text.Length, text, static (span, source) =>
            {
                for (var i = 0; i < source.Length; i++)
                {
                    span[i] = char.IsAsciiLetterOrDigit(source[i]) || source[i] is '_' or '-' ? source[i] : '_';
                }
            });
    }
}
