using System.Text.Json;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Providers;

/// <summary>
/// The marks that say up to where a prompt is to be cached (<c>cache_control</c>). Anthropic, and Bedrock for every model, refuse a request with more than four; a mark only
/// advises, and a client that marks each turn of its conversation sends more and more of them. Those of the first turns go: what a later mark
/// caches begins with it. Instructions and tools, which other conversations have too, keep theirs as long as there is one in a turn.
/// </summary>
internal static class CacheMarks
{
    private const int Max = 4;

    private static readonly byte[] Null = "null"u8.ToArray();

    /// <summary>The request with as many marks as are taken; the same bytes where it has no more.</summary>
    /// <param name="body">In OpenAI's words, known to be JSON.</param>
    /// <param name="dropped">Takes their name, when some are left out.</param>
    /// <exception cref="UntranslatableRequestException">It is nested too deeply, or no object.</exception>
    public static ReadOnlyMemory<byte> Bounded(ReadOnlyMemory<byte> body, DroppedFields dropped)
    {
        if (body.Span.Count("\"cache_control\""u8) <= Max)
        {
            return body;
        }

        using var document = ChatRequest.Parse(body);
        var request = document.RootElement;
        var messages = request.Field("messages"u8).Items().ToLookup(ChatRequest.IsSystem);
        List<JsonElement> marks =
        [
            .. messages[false].SelectMany(InMessage),
            .. messages[true].SelectMany(InMessage),
            .. request.Field("tools"u8).Items().SelectMany(InTool),
            .. In(request),
        ];
        if (marks.Count <= Max)
        {
            return body;
        }

        dropped.AddAdvice("cache_control");
        return new SplicedContent(body, Splice.InOrder([.. marks.Take(marks.Count - Max).Select(mark => Cut(body, mark))])).ToArray();
    }

    private static IEnumerable<JsonElement> InMessage(JsonElement message) =>
        [.. message.Field("content"u8).Items().SelectMany(In), .. message.Field("tool_calls"u8).Items().SelectMany(In), .. In(message)];

    private static IEnumerable<JsonElement> InTool(JsonElement tool) => [.. In(tool), .. In(tool.Field("function"u8))];

    private static IEnumerable<JsonElement> In(JsonElement holder) =>
        holder.Field("cache_control"u8) is { ValueKind: JsonValueKind.Object } mark ? [mark] : [];

    private static Splice Cut(ReadOnlyMemory<byte> body, JsonElement mark)
    {
        body.Span.Overlaps(mark.Raw(), out var start);
        return new Splice(start, start + mark.Raw().Length, Null);
    }
}
