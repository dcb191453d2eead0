using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Completions;

/// <summary>Makes a stream of <c>text_completion</c> of chat's chunks.</summary>
internal sealed class CompletionsStream(RequestExchange exchange) : ChatSurfaceStream(exchange.Losses)
{
    public override void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        if (exchange.Head.IncludeUsage)
        {
            Frame(output, json =>
            {
                json.WriteStartArray("choices"u8);
                json.WriteEndArray();
                json.WritePropertyName("usage"u8);
                OpenAiUsage.Write(json, usage, cost);
            });
        }

        output.Write("data: [DONE]\n\n"u8);
    }

    public override void Fail(GatewayError error, IBufferWriter<byte> output) => error.WriteFrame(output);

    protected override void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        foreach (var choice in chunk.Field("choices"u8).Items())
        {
            var delta = choice.Field("delta"u8);
            if (delta.Field("content"u8).RawText().Length > 0 || FinishReasonOf(choice) is not null)
            {
                Frame(output, json =>
                {
                    json.WriteStartArray("choices"u8);
                    WriteChoice(json, choice, delta, isWhole: false);
                    json.WriteEndArray();
                });
            }
        }
    }

    /// <summary>What every answer and every chunk begins with; the object stays open.</summary>
    public static void WriteOpening(Utf8JsonWriter json, RequestExchange exchange)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, $"cmpl-{exchange.Id:N}");
        json.WriteString("object"u8, "text_completion"u8);
        json.WriteNumber("created"u8, exchange.StartedAt.ToUnixTimeSeconds());
        json.WriteString("model"u8, exchange.Head.ModelName);
    }

    /// <summary>One choice: its text, and why it ended, which a whole one always says.</summary>
    public static void WriteChoice(Utf8JsonWriter json, JsonElement choice, JsonElement message, bool isWhole)
    {
        json.WriteStartObject();
        if (message.Field("content"u8) is { ValueKind: JsonValueKind.String } text)
        {
            json.WriteCopy("text"u8, text);
        }
        else
        {
            json.WriteString("text"u8, ""u8);
        }

        json.WriteNumber("index"u8, choice.Field("index"u8).Int() ?? 0);
        json.WriteNull("logprobs"u8);
        switch (FinishReasonOf(choice))
        {
            case null when !isWhole:
                json.WriteNull("finish_reason"u8);
                break;
            case "length" or "content_filter":
                json.WriteCopy("finish_reason"u8, choice.Field("finish_reason"u8));
                break;
            default:
                json.WriteString("finish_reason"u8, "stop"u8);
                break;
        }

        json.WriteEndObject();
    }

    private void Frame(IBufferWriter<byte> output, Action<Utf8JsonWriter> write)
    {
        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            WriteOpening(json, exchange);
            write(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
