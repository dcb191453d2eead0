using System.Buffers;
using System.Text;

namespace Gateway.Edge.Providers;

/// <summary>
/// A tool call's id with the signature behind it that Gemini wants back: clients drop fields that they do not know, and none drops an id. The form
/// is LiteLLM's, <c>{id}__thought__{signature}</c>, with the signature in the alphabet that every client and provider takes in an id (base64url).
/// Other providers are sent the id alone: some bound its length.
/// </summary>
internal static class SignedCallId
{
    /// <summary>What stands before a signature.</summary>
    public const string Mark = "__thought__";

    private static readonly SearchValues<char> Base64Signs = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /// <summary>The id with the signature behind it; the id alone where there is none, or one that could not be made again from it.</summary>
    /// <param name="id">Escaped for JSON.</param>
    /// <param name="signature">Base64, as Google writes it.</param>
    public static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> id, string? signature)
    {
        var bare = signature?.TrimEnd('=') ?? "";
        return bare.Length == 0 || bare.AsSpan().ContainsAnyExcept(Base64Signs) || Padded(bare) != signature
            ? id
            : (byte[])[.. id, .. Encoding.ASCII.GetBytes(Mark + bare.Replace('+', '-').Replace('/', '_'))];
    }

    /// <summary>The id and the signature behind it; null where there is none.</summary>
    public static (string Id, string? Signature) Split(string id)
    {
        var at = id.IndexOf(Mark, StringComparison.Ordinal);
        if (at <= 0)
        {
            return (id, null);
        }

        var bare = id[(at + Mark.Length)..].Replace('-', '+').Replace('_', '/').TrimEnd('=');
        return bare.Length == 0 || bare.AsSpan().ContainsAnyExcept(Base64Signs) ? (id, null) : (id[..at], Padded(bare));
    }

    private static string Padded(string bare) => bare.PadRight((bare.Length + 3) / 4 * 4, '=');
}
