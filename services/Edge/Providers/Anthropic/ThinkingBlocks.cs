using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// What a model thought, as a caller sends it back in <c>thinking_blocks</c>: whole blocks, or the pieces in which they were streamed, of which the
/// last has the signature.
/// </summary>
internal static class ThinkingBlocks
{
    /// <summary>The blocks that may be sent back. Thinking without a signature is refused everywhere: it is left out and named.</summary>
    public static List<ThinkingBlock> Read(JsonElement blocks, DroppedFields dropped)
    {
        var whole = new List<ThinkingBlock>();
        var pieces = new List<byte>();
        var unsigned = false;
        foreach (var block in blocks.Items())
        {
            if (block.Field("data"u8).ValueKind == JsonValueKind.String)
            {
                unsigned |= pieces.Count > 0;
                pieces.Clear();
                whole.Add(new ThinkingBlock([], default, block.Field("data"u8)));
                continue;
            }

            pieces.AddRange(block.Field("thinking"u8).RawText());
            if (IsSigned(block))
            {
                whole.Add(new ThinkingBlock([.. pieces], block.Field("signature"u8), default));
                pieces.Clear();
            }
        }

        if (unsigned || pieces.Count > 0)
        {
            dropped.AddAdvice("messages.thinking_blocks");
        }

        return whole;
    }

    /// <summary>Whether the last turn of the model called a tool and carries no thinking: a model that is to think refuses to go on from it.</summary>
    public static bool LastToolCallLacks(JsonElement messages)
    {
        var last = messages.Items().LastOrDefault(static message => message.Field("role"u8).Is("assistant"u8));
        return last.Field("tool_calls"u8).Items().Any()
            && !last.Field("thinking_blocks"u8).Items().Any(static block => IsSigned(block) || block.Field("data"u8).ValueKind == JsonValueKind.String);
    }

    private static bool IsSigned(JsonElement block) => !block.Field("signature"u8).RawText().IsEmpty;
}

/// <summary>One block that may be sent back.</summary>
/// <param name="Text">What was thought, as the bytes of a JSON text without its quotes.</param>
/// <param name="Signature">Its signature.</param>
/// <param name="Redacted">What was thought where that is hidden; then there is nothing else.</param>
internal readonly record struct ThinkingBlock(byte[] Text, JsonElement Signature, JsonElement Redacted)
{
    /// <summary>Writes the text as a member.</summary>
    public void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue([(byte)'"', .. Text, (byte)'"'], skipInputValidation: true);
    }
}
