using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Messages;

/// <summary>
/// Makes Anthropic's events of OpenAI's chunks: <c>message_start</c>, blocks that open, grow and close one after the other,
/// <c>message_delta</c> with the usage, <c>message_stop</c>.
/// </summary>
internal sealed class MessagesStream(RequestExchange exchange) : OneByOneStream($"toolu_{exchange.Id:N}", exchange.Losses)
{
    private readonly OwnToolNames names = new(exchange.Body.Memory, MessagesRequest.Tools);
    private string? open;
    private bool signed;
    private int block = -1;

    public override void Fail(GatewayError error, IBufferWriter<byte> output) => MessagesSurface.WriteErrorEvent(error, output);

    protected override void Finish(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        Close(output);
        Event(output, "message_delta", json =>
        {
            json.WriteStartObject("delta");
            json.WriteString("stop_reason", MessagesSurface.StopReason(FinishReason));
            MessagesSurface.WriteNothing(json, ["stop_sequence", "stop_details", "container"]);
            json.WriteEndObject();
            json.WritePropertyName("usage");
            MessagesSurface.WriteUsage(json, usage, isWhole: false, cost);
        });
        Event(output, "message_stop", static _ => { });
    }

    protected override void Start(IBufferWriter<byte> output)
    {
        var input = exchange.Grant.Expectation.Input(exchange.Body.Memory.Length) ?? TokenCounter.CountPrompt(exchange.Body.Memory, exchange.Target?.OpenAiModel);
        Event(output, "message_start", json =>
        {
            json.WriteStartObject("message");
            json.WriteString("id", $"msg_{exchange.Id:N}");
            json.WriteString("type", "message");
            json.WriteString("role", "assistant");
            json.WriteString("model", exchange.Head.ModelName);
            json.WriteStartArray("content");
            json.WriteEndArray();
            json.WriteNull("stop_reason");
            MessagesSurface.WriteNothing(json, MessagesSurface.Unsaid);
            json.WritePropertyName("usage");
            // Expected: what was really read is known at the end and stands in message_delta.
            MessagesSurface.WriteUsage(json, new TokenUsage { Input = input, Output = 1 }, isWhole: true);
            json.WriteEndObject();
        });
    }

    protected override void Say(JsonElement delta, IBufferWriter<byte> output)
    {
        if (delta.Field("thinking_blocks"u8).Items().Any())
        {
            foreach (var thinking in delta.Field("thinking_blocks"u8).Items())
            {
                TakeThinking(thinking, output);
            }
        }
        else
        {
            Grow(ChatRequest.ThoughtsOf(delta), "thinking", output);
        }

        Grow(delta.Field("content"u8), "text", output);
        Grow(delta.Field("refusal"u8), "text", output);
        if (TextSignature.In(delta) is { } signature)
        {
            Sign(TextSignature.Mark(signature), output);
        }
    }

    protected override void OpenCall(StreamedCall call, IBufferWriter<byte> output) => Open(output, "tool_use", json =>
    {
        json.WriteString("id", call.Id);
        json.WriteString("name", names.Of(call.Name));
        json.WriteStartObject("input");
        json.WriteEndObject();
        MessagesSurface.WriteCaller(json);
    });

    protected override void GrowCall(StreamedCall call, string arguments, IBufferWriter<byte> output) => Delta(output, "input_json_delta", "partial_json", arguments);

    protected override void CloseCall(StreamedCall call, IBufferWriter<byte> output) => Close(output);

    /// <summary>Thinking of a model that signs it: the signature is a delta of its own, and what is hidden is a block of its own.</summary>
    private void TakeThinking(JsonElement thinking, IBufferWriter<byte> output)
    {
        if (thinking.Field("type"u8).Is("redacted_thinking"u8))
        {
            var hidden = thinking.Field("data"u8).Text();
            Open(output, "redacted_thinking", json => json.WriteString("data", hidden));
            Close(output);
            return;
        }

        Grow(thinking.Field("thinking"u8), "thinking", output);
        if (thinking.Field("signature"u8).Text() is { Length: > 0 } signature)
        {
            Sign(signature, output);
        }
    }

    private void Sign(string signature, IBufferWriter<byte> output)
    {
        if (open != "thinking")
        {
            OpenText(output, "thinking");
        }

        signed = true;
        Delta(output, "signature_delta", "signature", signature);
    }

    private void Grow(JsonElement value, string kind, IBufferWriter<byte> output)
    {
        if (value.Text() is not { Length: > 0 } text)
        {
            return;
        }

        if (open != kind)
        {
            OpenText(output, kind);
        }

        Delta(output, kind + "_delta", kind, text);
    }

    private void OpenText(IBufferWriter<byte> output, string kind) => Open(output, kind, json =>
    {
        json.WriteString(kind, "");
        if (kind == "thinking")
        {
            json.WriteString("signature", "");
        }
    });

    private void Open(IBufferWriter<byte> output, string kind, Action<Utf8JsonWriter> content)
    {
        Close(output);
        open = kind;
        block++;
        Event(output, "content_block_start", json =>
        {
            json.WriteNumber("index", block);
            json.WriteStartObject("content_block");
            json.WriteString("type", kind);
            content(json);
            json.WriteEndObject();
        });
    }

    private void Close(IBufferWriter<byte> output)
    {
        if (open == "thinking" && !signed)
        {
            Sign(TextSignature.Mark(null), output);
        }

        if (open is not null)
        {
            open = null;
            signed = false;
            Event(output, "content_block_stop", json => json.WriteNumber("index", block));
        }
    }

    private void Delta(IBufferWriter<byte> output, string type, string field, string text) => Event(output, "content_block_delta", json =>
    {
        json.WriteNumber("index", block);
        json.WriteStartObject("delta");
        json.WriteString("type", type);
        json.WriteString(field, text);
        json.WriteEndObject();
    });

    private static void Event(IBufferWriter<byte> output, string name, Action<Utf8JsonWriter> fields)
    {
        output.Write("event: "u8);
        output.Write(Encoding.UTF8.GetBytes(name));
        output.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            json.WriteStartObject();
            json.WriteString("type", name);
            fields(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
