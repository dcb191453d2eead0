using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers;

/// <summary>
/// The marks that say up to where a prompt is to be cached: Anthropic's <c>cache_control</c>, Converse's <c>cachePoint</c>. Both refuse a request with more
/// than four; a mark only advises, and a client that marks each turn of its conversation sends more and more of them. Those that were written are
/// counted: of the caller's some are not said at all. The request's own, and the last of the turns, of the instructions and of the tools are kept before all
/// others: what a later mark caches begins with what an earlier one does, and instructions and tools are cached for other conversations, too.
/// </summary>
internal static class CacheMarks
{
    private const int Max = 4;

    // A call's arguments came as text and stand in it as JSON: deeper than what was read, which was bounded.
    private static readonly JsonDocumentOptions Deeper = new() { MaxDepth = 128 };

    /// <summary>Writes a request with as many marks as are taken. They are counted only where the caller's are more: none becomes two.</summary>
    /// <param name="body">What was asked, in OpenAI's words.</param>
    /// <param name="output">Takes it in Anthropic's words or in Converse's.</param>
    /// <param name="dropped">Takes the marks' name, when some are left out.</param>
    /// <param name="write">Writes it.</param>
    public static void Write(ReadOnlySpan<byte> body, IBufferWriter<byte> output, DroppedFields dropped, Action<Utf8JsonWriter> write)
    {
        var written = body.Count("\"cache_control\""u8) > Max ? new ArrayBufferWriter<byte>() : null;
        using (var writer = new Utf8JsonWriter((IBufferWriter<byte>?)written ?? output, Completion.Writing))
        {
            write(writer);
        }

        if (written is not null)
        {
            CopyBounded(written.WrittenMemory, output, dropped);
        }
    }

    private static void CopyBounded(ReadOnlyMemory<byte> written, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var document = JsonDocument.Parse(written, Deeper);
        var cuts = ByWorth(document.RootElement).Skip(Max).Select(mark => Cut(written.Span, mark)).ToList();
        if (cuts.Count == 0)
        {
            output.Write(written.Span);
            return;
        }

        dropped.AddAdvice("cache_control");
        output.Write(new SplicedContent(written, Splice.InOrder(cuts)).ToArray());
    }

    private static IEnumerable<JsonElement> ByWorth(JsonElement request)
    {
        List<JsonElement> turns = [.. request.Field("messages"u8).Items().SelectMany(static message => message.Field("content"u8).Items()).SelectMany(InBlock)];
        List<JsonElement> system = [.. request.Field("system"u8).Items().SelectMany(InBlock)];
        List<JsonElement> tools = [.. request.Field("tools"u8).Items().SelectMany(In), .. request.Field("toolConfig"u8).Field("tools"u8).Items().SelectMany(In)];
        return
        [
            .. In(request),
            .. turns.TakeLast(1),
            .. system.TakeLast(1),
            .. tools.TakeLast(1),
            .. Enumerable.Reverse(turns).Skip(1),
            .. Enumerable.Reverse(system).Skip(1),
            .. Enumerable.Reverse(tools).Skip(1),
        ];
    }

    /// <summary>A block's marks in the order of what they cache: a tool's result has blocks itself.</summary>
    private static IEnumerable<JsonElement> InBlock(JsonElement block) => [.. block.Field("content"u8).Items().SelectMany(In), .. In(block)];

    /// <summary>The value of Anthropic's mark, or the whole block that is Converse's.</summary>
    private static IEnumerable<JsonElement> In(JsonElement holder) =>
        holder.Field("cachePoint"u8).ValueKind == JsonValueKind.Object ? [holder]
        : holder.Field("cache_control"u8) is { ValueKind: JsonValueKind.Object } mark ? [mark] : [];

    /// <summary>A mark with its name and one comma: the one before it or, where it stands first, the one behind.</summary>
    private static Splice Cut(ReadOnlySpan<byte> written, JsonElement mark)
    {
        written.Overlaps(mark.Raw(), out var start);
        var end = start + mark.Raw().Length;
        var before = Trimmed(written[..start]);
        if (before[^1] == (byte)':')
        {
            // The name has no quote in it, however it is escaped.
            before = before[..before.LastIndexOf((byte)'"')];
            before = Trimmed(before[..before.LastIndexOf((byte)'"')]);
        }

        if (before[^1] == (byte)',')
        {
            return new Splice(before.Length - 1, end, default);
        }

        var comma = end + written[end..].IndexOfAnyExcept(" \t\r\n"u8);
        return new Splice(before.Length, written[comma] == (byte)',' ? comma + 1 : end, default);
    }

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> json) => json.TrimEnd(" \t\r\n"u8);
}
