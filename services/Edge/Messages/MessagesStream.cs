using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Messages;

/// <summary>
/// Makes Anthropic's events of OpenAI's chunks: <c>message_start</c>, blocks that open, grow and close one after the other,
/// <c>message_delta</c> with the usage, <c>message_stop</c>.
/// </summary>
internal sealed class MessagesStream(ChatExchange exchange) : IChatSurfaceStream
{
    private readonly SseReader reader = new();
    private string? open;
    private int block = -1;
    private int toolIndex = -1;
    private string? finishReason;
    private bool started;

    public void Read(ReadOnlySpan<byte> frames, IBufferWriter<byte> output)
    {
        reader.Append(frames);
        while (reader.TryRead(out var frame))
        {
            if (frame.HasData && frame.Data is [(byte)'{', ..])
            {
                using var chunk = JsonDocument.Parse(frame.Data.ToArray());
                Take(chunk.RootElement, output);
            }
        }
    }

    public void End(TokenUsage usage, IBufferWriter<byte> output)
    {
        Start(output, default);
        Close(output);
        Event(output, "message_delta", json =>
        {
            json.WriteStartObject("delta");
            json.WriteString("stop_reason", MessagesSurface.StopReason(finishReason));
            json.WriteNull("stop_sequence");
            json.WriteEndObject();
            json.WritePropertyName("usage");
            MessagesSurface.WriteUsage(json, usage);
        });
        Event(output, "message_stop", static _ => { });
    }

    public void Fail(GatewayError error, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        MessagesSurface.WriteError(output, error);
        output.Write("\n\n"u8);
    }

    public void Dispose() => reader.Dispose();

    private void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        Start(output, chunk);
        if (!chunk.TryGetProperty("choices", out var choices) || choices.ValueKind != JsonValueKind.Array || choices.GetArrayLength() == 0)
        {
            return;
        }

        var choice = choices[0];
        if (choice.TryGetProperty("delta", out var delta) && delta.ValueKind == JsonValueKind.Object)
        {
            Grow(delta, "reasoning_content", "thinking", output);
            Grow(delta, "content", "text", output);
            Grow(delta, "refusal", "text", output);
            if (delta.TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
            {
                foreach (var call in calls.EnumerateArray())
                {
                    TakeCall(call, output);
                }
            }
        }

        if (choice.TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String)
        {
            finishReason = reason.GetString();
        }
    }

    private void Start(IBufferWriter<byte> output, JsonElement chunk)
    {
        if (started)
        {
            return;
        }

        started = true;
        var model = chunk.ValueKind == JsonValueKind.Object && chunk.TryGetProperty("model", out var named) ? named.GetString() : exchange.Head.ModelName;
        var input = exchange.Grant.Expectation.Input(exchange.Body.Memory.Length) ?? TokenCounter.CountPrompt(exchange.Body.Memory);
        Event(output, "message_start", json =>
        {
            json.WriteStartObject("message");
            json.WriteString("id", $"msg_{exchange.Id:N}");
            json.WriteString("type", "message");
            json.WriteString("role", "assistant");
            json.WriteString("model", model);
            json.WriteStartArray("content");
            json.WriteEndArray();
            json.WriteNull("stop_reason");
            json.WriteNull("stop_sequence");
            json.WritePropertyName("usage");
            // Expected: what was really read is known at the end and stands in message_delta.
            MessagesSurface.WriteUsage(json, new TokenUsage { Input = input, Output = 1 });
            json.WriteEndObject();
        });
    }

    private void Grow(JsonElement delta, string field, string kind, IBufferWriter<byte> output)
    {
        if (!delta.TryGetProperty(field, out var value) || value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } text)
        {
            return;
        }

        if (open != kind)
        {
            Open(output, kind, json => json.WriteString(kind, ""));
        }

        Event(output, "content_block_delta", json =>
        {
            json.WriteNumber("index", block);
            json.WriteStartObject("delta");
            json.WriteString("type", kind + "_delta");
            json.WriteString(kind, text);
            json.WriteEndObject();
        });
    }

    private void TakeCall(JsonElement call, IBufferWriter<byte> output)
    {
        var index = call.TryGetProperty("index", out var at) ? at.GetInt32() : 0;
        var function = call.TryGetProperty("function", out var found) ? found : default;
        if (open != "tool_use" || index != toolIndex)
        {
            toolIndex = index;
            var id = call.TryGetProperty("id", out var given) ? given.GetString() : $"toolu_{exchange.Id:N}{index}";
            var name = function.ValueKind == JsonValueKind.Object && function.TryGetProperty("name", out var named) ? named.GetString() : "";
            Open(output, "tool_use", json =>
            {
                json.WriteString("id", id);
                json.WriteString("name", name);
                json.WriteStartObject("input");
                json.WriteEndObject();
                MessagesSurface.WriteCaller(json);
            });
        }

        if (function.ValueKind == JsonValueKind.Object && function.TryGetProperty("arguments", out var arguments) && arguments.GetString() is { Length: > 0 } piece)
        {
            Event(output, "content_block_delta", json =>
            {
                json.WriteNumber("index", block);
                json.WriteStartObject("delta");
                json.WriteString("type", "input_json_delta");
                json.WriteString("partial_json", piece);
                json.WriteEndObject();
            });
        }
    }

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
            if (kind == "thinking")
            {
                json.WriteString("signature", "");
            }

            json.WriteEndObject();
        });
    }

    private void Close(IBufferWriter<byte> output)
    {
        if (open is not null)
        {
            open = null;
            Event(output, "content_block_stop", json => json.WriteNumber("index", block));
        }
    }

    private static void Event(IBufferWriter<byte> output, string name, Action<Utf8JsonWriter> fields)
    {
        output.Write("event: "u8);
        output.Write(System.Text.Encoding.UTF8.GetBytes(name));
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
