using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>
/// Gemini's signature of a text, as clients of other makers carry it back: the signature of a block of thinking (Anthropic's), what a reasoning item has as
/// <c>encrypted_content</c> (Responses), marked as no signature of theirs; the mark alone says that nobody signed. Where the bytes pass to another provider the block is cut (<see cref="SignedPlaces.In"/>):
/// it would be refused there.
/// </summary>
internal static class TextSignature
{
    /// <summary>The signature as a client gets it.</summary>
    public static string Mark(string? signature) => SignedCallId.Mark + signature;

    /// <summary>The signature that a client sends back; null when it is another's: base64 has no dot, and what else is packed behind the mark has one.</summary>
    public static string? Of(string? marked) =>
        marked?.StartsWith(SignedCallId.Mark, StringComparison.Ordinal) == true && !marked.Contains('.', StringComparison.Ordinal) ? marked[SignedCallId.Mark.Length..] : null;

    /// <summary>The signature in a message or a piece of one, in the words of chat; null when there is none.</summary>
    public static string? In(JsonElement said) =>
        said.Field("provider_specific_fields"u8).Field("thought_signatures"u8).Items().LastOrDefault().Text() is { Length: > 0 } signature ? signature : null;

    /// <summary>Writes it as a member of a message of chat.</summary>
    public static void Write(Utf8JsonWriter json, string signature)
    {
        json.WriteStartObject("provider_specific_fields"u8);
        json.WriteStartArray("thought_signatures"u8);
        json.WriteStringValue(signature);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
