using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Routing;

/// <summary>
/// The reply of a deployment with <c>mock_response</c>: OpenAI's format, whole or streamed, and no provider is called. It states no usage,
/// so the gateway counts the tokens itself and flags them as estimated, as for any provider that is silent.
/// </summary>
internal static class MockedReply
{
    /// <summary>The reply to one call.</summary>
    public static HttpResponseMessage To(in ChatCall call, string text)
    {
        var content = call.Stream
            ? $"data: {Chunk(call, new JsonObject { ["role"] = "assistant", ["content"] = text }, null)}\n\ndata: {Chunk(call, [], "stop")}\n\ndata: [DONE]\n\n"
            : Envelope(call, "chat.completion", new JsonObject
            {
                ["index"] = 0,
                ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text, ["refusal"] = null },
                ["logprobs"] = null,
                ["finish_reason"] = "stop",
            }).ToJsonString();
        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content))
            {
                Headers = { ContentType = new MediaTypeHeaderValue(call.Stream ? "text/event-stream" : "application/json") },
            },
        };
    }

    private static string Chunk(in ChatCall call, JsonObject delta, string? finishReason) =>
        Envelope(call, "chat.completion.chunk", new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finishReason }).ToJsonString();

    private static JsonObject Envelope(in ChatCall call, string kind, JsonObject choice) => new()
    {
        ["id"] = $"chatcmpl-{call.Id:N}",
        ["object"] = kind,
        ["created"] = call.Created,
        ["model"] = call.PublicModel,
        ["choices"] = new JsonArray(choice),
    };
}
