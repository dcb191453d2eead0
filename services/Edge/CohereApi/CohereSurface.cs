using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.CohereApi;

/// <summary>Cohere's chat as a surface. Format: https://docs.cohere.com/reference/chat, version 2.</summary>
internal sealed class CohereSurface : IChatSurface
{
    public string CallType => "cohere_chat";

    public SurfaceProtocol Protocol => SurfaceProtocol.CohereChat;

    public IPassedProtocol Passed { get; } = new CoherePassed();

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head) => RequestHead.TryRead(request.Span, out head, Protocol);

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = ChatRequest.Parse(request);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        new CohereAsked(document.RootElement, new SurfaceTarget(provider, providerModel), dropped, json).Write();
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        var choice = document.RootElement.Field("choices"u8).Items().FirstOrDefault();
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("id"u8, exchange.Id);
        var calls = new StreamedCalls($"call_{exchange.Id:N}");
        calls.TakeWhole(choice.Field("message"u8).Field("tool_calls"u8));
        json.WriteString("finish_reason"u8, FinishReason(ChatAnswer.FinishReason(choice, calls.All.Count > 0)));
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        WriteMessage(json, choice.Field("message"u8), calls.All);
        json.WriteEndObject();
        json.WritePropertyName("usage"u8);
        WriteUsage(json, usage);
        json.WriteEndObject();
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new CohereSurfaceStream(exchange);

    /// <summary>Cohere's clients read <c>message</c> at the top; OpenAI's envelope beside it has the code.</summary>
    public void WriteError(GatewayError error, IBufferWriter<byte> output) => output.Write(error.ToJsonWithMessage());

    /// <summary>Cohere's word for why an answer ended. It has none for a content filter.</summary>
    public static string FinishReason(string? finishReason) => finishReason switch
    {
        "length" => "MAX_TOKENS",
        "tool_calls" or "function_call" => "TOOL_CALL",
        "content_filter" => "ERROR",
        _ => "COMPLETE",
    };

    /// <summary>Cohere's usage: what is billed, and what was read and written, which are the same here.</summary>
    public static void WriteUsage(Utf8JsonWriter json, TokenUsage usage, Money? cost = null)
    {
        json.WriteStartObject();
        foreach (var name in (ReadOnlySpan<string>)["billed_units", "tokens"])
        {
            json.WriteStartObject(name);
            json.WriteNumber("input_tokens"u8, usage.PromptTokens);
            json.WriteNumber("output_tokens"u8, usage.CompletionTokens);
            json.WriteEndObject();
        }

        json.WriteNumber("cached_tokens"u8, usage.CachedInput);
        if (cost is { } amount)
        {
            json.WriteNumber("cost"u8, amount.ToDollars());
        }

        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, JsonElement message, IReadOnlyList<StreamedCall> calls)
    {
        var parts = new[] { ("thinking", ChatRequest.ThoughtsOf(message)), ("text", message.Field("content"u8)), ("text", message.Field("refusal"u8)) }
            .Where(static part => !part.Item2.RawText().IsEmpty).ToArray();
        if (parts.Length > 0)
        {
            json.WriteStartArray("content"u8);
            foreach (var (type, text) in parts)
            {
                json.WriteStartObject();
                json.WriteString("type"u8, type);
                json.WritePropertyName(type);
                json.WriteCopy(text);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            foreach (var call in calls)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, call.Id);
                json.WriteString("type"u8, "function"u8);
                json.WriteStartObject("function"u8);
                json.WriteString("name"u8, call.Name);
                json.WriteString("arguments"u8, call.Arguments.ToString());
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }
}
