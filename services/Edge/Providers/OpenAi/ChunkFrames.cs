using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>
/// Writes the frames of a <c>chat.completion.chunk</c> stream for protocols that are not OpenAI's. What all frames of a stream share is made
/// once; a text is copied as the provider escaped it, so it cannot change on the way.
/// </summary>
internal sealed class ChunkFrames
{
    private readonly byte[] head;
    private bool roleGiven;

    /// <param name="call">The call.</param>
    /// <param name="id">The provider's id, escaped for JSON; empty when it has none.</param>
    public ChunkFrames(in ChatCall call, ReadOnlySpan<byte> id)
    {
        head = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""data: {"id":"{{(id.IsEmpty ? CompletionIds.For(call.Id) : Encoding.UTF8.GetString(id))}}","object":"chat.completion.chunk","created":{{call.Created}},"model":"{{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(call.PublicModel)}}","choices":[{"index":0,"delta":{"""));
    }

    /// <summary>How many tool calls have been started.</summary>
    public int ToolCalls { get; private set; }

    /// <summary>The first frame: who speaks. Further calls write nothing.</summary>
    public void Role(IBufferWriter<byte> output)
    {
        if (!roleGiven)
        {
            roleGiven = true;
            output.Write(head);
            output.Write("\"role\":\"assistant\",\"content\":\"\""u8);
            EndDelta(output);
        }
    }

    /// <summary>A piece of the answer.</summary>
    public void Content(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped) => Write(output, "\"content\":\""u8, escaped, "\""u8);

    /// <summary>A piece of a refusal.</summary>
    public void Refusal(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped) => Write(output, "\"refusal\":\""u8, escaped, "\""u8);

    /// <summary>A piece of reasoning.</summary>
    public void Reasoning(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped) => Write(output, "\"reasoning_content\":\""u8, escaped, "\""u8);

    /// <summary>A piece of reasoning that is sent back in its block: as text, and in Anthropic's form.</summary>
    public void Thinking(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped)
    {
        BeginDelta(output);
        output.Write("\"reasoning_content\":\""u8);
        output.Write(escaped);
        output.Write("\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\""u8);
        output.Write(escaped);
        output.Write("\"}]"u8);
        EndDelta(output);
    }

    /// <summary>The signature of the block that was thought so far.</summary>
    public void Signature(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped) =>
        Write(output, "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\""u8, escaped, "\"}]"u8);

    /// <summary>A block of reasoning that only its provider can read.</summary>
    public void RedactedThinking(IBufferWriter<byte> output, ReadOnlySpan<byte> escaped) =>
        Write(output, "\"thinking_blocks\":[{\"type\":\"redacted_thinking\",\"data\":\""u8, escaped, "\"}]"u8);

    /// <summary>Begins a tool call and gives its index.</summary>
    /// <param name="output">Takes the frame.</param>
    /// <param name="id">Escaped for JSON.</param>
    /// <param name="name">Escaped for JSON.</param>
    /// <param name="extra">Further members of the call, beginning with a comma; or empty.</param>
    public int ToolCall(IBufferWriter<byte> output, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> extra = default)
    {
        var index = ToolCalls++;
        BeginToolCall(output, index);
        output.Write(",\"id\":\""u8);
        output.Write(id);
        output.Write("\",\"type\":\"function\",\"function\":{\"name\":\""u8);
        output.Write(name);
        output.Write("\",\"arguments\":\"\"}"u8);
        output.Write(extra);
        output.Write("}]"u8);
        EndDelta(output);
        return index;
    }

    /// <summary>A piece of a tool call's arguments.</summary>
    /// <param name="output">Takes the frame.</param>
    /// <param name="index">The call's index.</param>
    /// <param name="escaped">JSON text, escaped once more because it stands in a string.</param>
    public void Arguments(IBufferWriter<byte> output, int index, ReadOnlySpan<byte> escaped)
    {
        BeginToolCall(output, index);
        output.Write(",\"function\":{\"arguments\":\""u8);
        output.Write(escaped);
        output.Write("\"}}]"u8);
        EndDelta(output);
    }

    /// <summary>A delta made of other members.</summary>
    public void Delta(IBufferWriter<byte> output, ReadOnlySpan<byte> members) => Write(output, members, default, default);

    /// <summary>The pages that the text so far cites, if any.</summary>
    public void Annotations(IBufferWriter<byte> output, ReadOnlyMemory<byte> annotations)
    {
        if (!annotations.IsEmpty)
        {
            Write(output, "\"annotations\":"u8, annotations.Span, default);
        }
    }

    /// <summary>The last frame of the choice.</summary>
    public void Finish(IBufferWriter<byte> output, ReadOnlySpan<byte> reason)
    {
        BeginDelta(output);
        output.Write("},\"finish_reason\":\""u8);
        output.Write(reason);
        output.Write("\"}]}\n\n"u8);
    }

    private void BeginToolCall(IBufferWriter<byte> output, int index)
    {
        BeginDelta(output);
        output.Write("\"tool_calls\":[{\"index\":"u8);
        Span<byte> digits = stackalloc byte[11];
        index.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        output.Write(digits[..length]);
    }

    private void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> before, ReadOnlySpan<byte> value, ReadOnlySpan<byte> after)
    {
        BeginDelta(output);
        output.Write(before);
        output.Write(value);
        output.Write(after);
        EndDelta(output);
    }

    private void BeginDelta(IBufferWriter<byte> output)
    {
        Role(output);
        output.Write(head);
    }

    private static void EndDelta(IBufferWriter<byte> output) => output.Write("},\"finish_reason\":null}]}\n\n"u8);
}

/// <summary>Ids for replies of protocols that have none.</summary>
internal static class CompletionIds
{
    /// <summary>The id of the request's completion.</summary>
    public static string For(Guid request) => string.Create(CultureInfo.InvariantCulture, $"chatcmpl-{request:N}");

    /// <summary>The id of a tool call that the provider gave none.</summary>
    public static string ForToolCall(Guid request, int index) => string.Create(CultureInfo.InvariantCulture, $"call_{request:N}{index}");

    /// <summary>Whether an id is one of those.</summary>
    public static bool IsMadeForToolCall(string id) =>
        id.Length > 37 && id.StartsWith("call_", StringComparison.Ordinal) && Guid.TryParseExact(id.AsSpan(5, 32), "N", out _) && int.TryParse(id.AsSpan(37), NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
