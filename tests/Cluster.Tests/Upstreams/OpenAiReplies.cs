using System.Text.Json.Nodes;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Upstreams;

/// <summary>What OpenAI's chat answers, byte by byte in a test's hand.</summary>
internal static class OpenAiReplies
{
    /// <summary>A whole answer.</summary>
    public static Reply Whole(string model, string text, long input, long output) => Reply.Json(200, WholeJson(model, text, input, output));

    /// <summary>The same as text.</summary>
    public static string WholeJson(string model, string text, long input, long output) => new JsonObject
    {
        ["id"] = "chatcmpl-scripted",
        ["object"] = "chat.completion",
        ["created"] = 1_795_000_000,
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
            ["finish_reason"] = "stop",
        }),
        ["usage"] = Usage(input, output),
    }.ToJsonString();

    /// <summary>A chunk with a piece of the answer; with a finish reason, the last one.</summary>
    public static string Chunk(string model, string? text, string? finish = null) => new JsonObject
    {
        ["id"] = "chatcmpl-scripted",
        ["object"] = "chat.completion.chunk",
        ["created"] = 1_795_000_000,
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["delta"] = text is null ? [] : new JsonObject { ["content"] = text },
            ["finish_reason"] = finish,
        }),
    }.ToJsonString();

    /// <summary>The frame that carries the usage, and nothing else.</summary>
    public static string UsageChunk(string model, long input, long output) => new JsonObject
    {
        ["id"] = "chatcmpl-scripted",
        ["object"] = "chat.completion.chunk",
        ["created"] = 1_795_000_000,
        ["model"] = model,
        ["choices"] = new JsonArray(),
        ["usage"] = Usage(input, output),
    }.ToJsonString();

    /// <summary>The pieces of an answer, each in a frame of its own; the stream is not ended.</summary>
    public static Reply Pieces(string model, params IEnumerable<string> pieces) =>
        pieces.Aggregate(Reply.Events(), (reply, piece) => reply.Data(Chunk(model, piece)));

    /// <summary>A whole stream: pieces, finish, usage when it is asked for, done.</summary>
    public static Reply Stream(ReceivedRequest request, string model, IEnumerable<string> pieces, long input, long output)
    {
        var reply = Pieces(model, pieces).Data(Chunk(model, null, "stop"));
        return (WantsUsage(request) ? reply.Data(UsageChunk(model, input, output)) : reply).Done();
    }

    public static bool WantsStream(ReceivedRequest request) => request.Json.TryGetProperty("stream", out var stream) && stream.GetBoolean();

    public static bool WantsUsage(ReceivedRequest request) => request.Json.TryGetProperty("stream_options", out var options)
        && options.TryGetProperty("include_usage", out var usage) && usage.GetBoolean();

    private static JsonObject Usage(long input, long output) => new() { ["prompt_tokens"] = input, ["completion_tokens"] = output, ["total_tokens"] = input + output };
}
