using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>
/// Thinking blocks with their signatures as the text that stands in <c>encrypted_content</c>: a client sends it back with its next request, and
/// the model goes on from its own thinking. It is packed, not encrypted: its caller may read what it got anyway.
/// </summary>
internal sealed class ThinkingSeal
{
    private const string Kind = "thinking.";

    // Where the bytes pass to OpenAI, which takes back only what it encrypted itself, an item of this mark is cut out of them.
    private const string Mark = SignedCallId.Mark + Kind;
    private readonly List<JsonObject> blocks = [];

    /// <summary>What was thought in the last block, while it grows; null while none does.</summary>
    private StringBuilder? growing;

    /// <summary>Takes a block, or a piece of one that comes streamed.</summary>
    /// <exception cref="MalformedReplyException">A text in it is broken.</exception>
    public void Add(JsonElement block)
    {
        try
        {
            Take(block);
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("A block of thinking is broken.");
        }
    }

    private void Take(JsonElement block)
    {
        if (block.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var thinks = block.Field("type"u8).Is("thinking"u8);
        if (thinks && growing is not null)
        {
            growing.Append(block.Field("thinking"u8).Text());
            Sign(block.Field("signature"u8).Text());
            return;
        }

        // Member by member: one that is named twice has its last value, and raises nothing.
        var piece = new JsonObject();
        foreach (var member in block.EnumerateObject())
        {
            piece[member.Name] = JsonNode.Parse(member.Value.GetRawText());
        }

        blocks.Add(piece);
        growing = thinks ? new StringBuilder(TextOf(piece, "thinking")) : null;
        Sign(TextOf(piece, "signature"));
    }

    // A block is whole with its signature.
    private void Sign(string? signature)
    {
        if (growing is not null && !string.IsNullOrEmpty(signature))
        {
            blocks[^1]["thinking"] = growing.ToString();
            blocks[^1]["signature"] = signature;
            growing = null;
        }
    }

    /// <summary>The text; null when nothing was signed.</summary>
    public string? ToText()
    {
        var signed = blocks.Where(static block => !string.IsNullOrEmpty(TextOf(block, "signature")) || TextOf(block, "type") == "redacted_thinking").ToArray();
        return signed.Length == 0
            ? null
            : Mark + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(new JsonArray([.. signed.Select(static block => block.DeepClone())]).ToJsonString()));
    }

    /// <summary>The blocks of a text; null when it is another provider's.</summary>
    public static JsonElement? Open(string? text)
    {
        // Before they were marked there was the kind alone: clients may still send that.
        var packed = Behind(Mark, text) ?? Behind(Kind, text);
        if (packed is null || !Base64Url.IsValid(packed))
        {
            return null;
        }

        try
        {
            var blocks = JsonElement.Parse(Base64Url.DecodeFromChars(packed));
            return blocks.ValueKind == JsonValueKind.Array ? blocks : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Behind(string mark, string? text) => text?.StartsWith(mark, StringComparison.Ordinal) == true ? text[mark.Length..] : null;

    private static string? TextOf(JsonObject block, string member) => block[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
