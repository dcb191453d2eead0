using System.Text;
using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// Another provider's signed thinking as Google's <c>thoughtSignature</c>: bytes to a client, in base64, which it sends back as it got them.
/// Google's own signatures are no such thing, and are told apart.
/// </summary>
internal static class GeminiThoughts
{
    /// <summary>The signature of sealed thinking.</summary>
    public static string Signature(string sealedBlocks) => Convert.ToBase64String(Encoding.UTF8.GetBytes(sealedBlocks));

    /// <summary>The blocks of thinking in a part; none when it has no signature, or Google's.</summary>
    public static IEnumerable<JsonElement> Blocks(JsonElement part)
    {
        // Of such a text base64 has none of the two signs for which some clients write others.
        var text = part.Named("thoughtSignature").Text() ?? "";
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && ThinkingSeal.Open(Encoding.UTF8.GetString(bytes, 0, length)) is { } blocks ? blocks.EnumerateArray() : [];
    }
}
