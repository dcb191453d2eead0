using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.CohereApi;

/// <summary>
/// Makes Cohere's events of OpenAI's chunks: <c>message-start</c>, contents and calls of tools that open, grow and close one after the other,
/// <c>message-end</c> with the usage. Format: https://docs.cohere.com/docs/streaming.
/// </summary>
internal sealed class CohereSurfaceStream(RequestExchange exchange) : OneByOneStream($"call_{exchange.Id:N}", exchange.Losses)
{
    private string? open;
    private int contents;

    public override void Fail(GatewayError error, IBufferWriter<byte> output) => WriteError(error, output);

    /// <summary>The event that ends a stream with an error. The gateway's code stands beside the words.</summary>
    public static void WriteError(GatewayError error, IBufferWriter<byte> output) => Event(output, "message-end", null, json =>
    {
        json.WriteString("finish_reason"u8, "ERROR"u8);
        json.WriteString("error"u8, error.Message);
        json.WriteString("code"u8, error.Code);
    });

    protected override void Start(IBufferWriter<byte> output) =>
        Event(output, "message-start", null, static json => Message(json, static json =>
        {
            json.WriteString("role"u8, "assistant"u8);
            json.WriteString("tool_plan"u8, ""u8);
            foreach (var name in (ReadOnlySpan<string>)["content", "tool_calls", "citations"])
            {
                json.WriteStartArray(name);
                json.WriteEndArray();
            }
        }), exchange.Id);

    protected override void Say(JsonElement delta, IBufferWriter<byte> output)
    {
        Grow(ChatRequest.ThoughtsOf(delta), "thinking", output);
        Grow(delta.Field("content"u8), "text", output);
        Grow(delta.Field("refusal"u8), "text", output);
    }

    protected override void OpenCall(StreamedCall call, IBufferWriter<byte> output)
    {
        Close(output);
        Event(output, "tool-call-start", call.Index, json => Call(json, json =>
        {
            json.WriteString("id"u8, call.Id);
            json.WriteString("type"u8, "function"u8);
            Function(json, call.Name, "");
        }));
    }

    protected override void GrowCall(StreamedCall call, string arguments, IBufferWriter<byte> output) =>
        Event(output, "tool-call-delta", call.Index, json => Call(json, json => Function(json, null, arguments)));

    protected override void CloseCall(StreamedCall call, IBufferWriter<byte> output) => Event(output, "tool-call-end", call.Index, null);

    protected override void Finish(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        Close(output);
        Event(output, "message-end", null, json =>
        {
            json.WriteString("finish_reason"u8, CohereSurface.FinishReason(FinishReason));
            json.WritePropertyName("usage"u8);
            CohereSurface.WriteUsage(json, usage, cost);
        });
        output.Write("data: [DONE]\n\n"u8);
    }

    private void Grow(JsonElement value, string kind, IBufferWriter<byte> output)
    {
        if (value.RawText().IsEmpty)
        {
            return;
        }

        if (open != kind)
        {
            Close(output);
            open = kind;
            contents++;
            Event(output, "content-start", contents - 1, json => Content(json, json =>
            {
                json.WriteString("type"u8, kind);
                json.WriteString(kind, "");
            }));
        }

        Event(output, "content-delta", contents - 1, json => Content(json, json =>
        {
            json.WritePropertyName(kind);
            json.WriteCopy(value);
        }));
    }

    private void Close(IBufferWriter<byte> output)
    {
        if (open is not null)
        {
            open = null;
            Event(output, "content-end", contents - 1, null);
        }
    }

    private static void Function(Utf8JsonWriter json, string? name, string arguments)
    {
        json.WriteStartObject("function"u8);
        if (name is not null)
        {
            json.WriteString("name"u8, name);
        }

        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
    }

    private static void Message(Utf8JsonWriter json, Action<Utf8JsonWriter> fields) => Member(json, "message", fields);

    private static void Content(Utf8JsonWriter json, Action<Utf8JsonWriter> fields) => Message(json, json => Member(json, "content", fields));

    private static void Call(Utf8JsonWriter json, Action<Utf8JsonWriter> fields) => Message(json, json => Member(json, "tool_calls", fields));

    private static void Member(Utf8JsonWriter json, string name, Action<Utf8JsonWriter> fields)
    {
        json.WriteStartObject(name);
        fields(json);
        json.WriteEndObject();
    }

    private static void Event(IBufferWriter<byte> output, string name, int? index, Action<Utf8JsonWriter>? delta, Guid? id = null)
    {
        output.Write("event: "u8);
        output.Write(Encoding.UTF8.GetBytes(name));
        output.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            json.WriteStartObject();
            if (id is { } known)
            {
                json.WriteString("id"u8, known);
            }

            json.WriteString("type"u8, name);
            if (index is { } at)
            {
                json.WriteNumber("index"u8, at);
            }

            if (delta is not null)
            {
                Member(json, "delta", delta);
            }

            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
