using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Messages;

/// <summary>Anthropic's messages as a surface. Format: Anthropic's API reference, "Messages", version 2023-06-01.</summary>
internal sealed class MessagesSurface : IChatSurface
{
    /// <summary>What a message has besides, and no other provider says.</summary>
    public static readonly string[] Unsaid = ["stop_sequence", "stop_details", "container", "diagnostics"];

    public string CallType => "anthropic_messages";

    public SurfaceProtocol Protocol => SurfaceProtocol.Messages;

    public IPassedProtocol Passed => MessagesPassed.Instance;

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head) => RequestHead.TryRead(request.Span, out head, Protocol);

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = ChatRequest.Parse(request);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        MessagesRequest.Write(document.RootElement, new SurfaceTarget(provider, providerModel), dropped, json);
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        var root = document.RootElement;
        var choice = root.Field("choices"u8).Items().FirstOrDefault();
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("id"u8, $"msg_{exchange.Id:N}");
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, exchange.Head.ModelName);
        json.WriteStartArray("content"u8);
        var calls = new StreamedCalls($"toolu_{exchange.Id:N}");
        calls.TakeWhole(choice.Field("message"u8).Field("tool_calls"u8));
        WriteContent(json, choice.Field("message"u8), calls.All, new OwnToolNames(exchange.Body.Memory, MessagesRequest.Tools));
        json.WriteEndArray();
        json.WriteString("stop_reason"u8, StopReason(ChatAnswer.FinishReason(choice, calls.All.Count > 0)));
        WriteNothing(json, Unsaid);
        json.WritePropertyName("usage"u8);
        WriteUsage(json, usage, isWhole: true);
        json.WriteEndObject();
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new MessagesStream(exchange);

    public void WriteError(GatewayError error, IBufferWriter<byte> output) => WriteErrorBody(output, error);

    /// <summary>The error that ends a stream.</summary>
    public static void WriteErrorEvent(GatewayError error, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        WriteErrorBody(output, error, inStream: true);
        output.Write("\n\n"u8);
    }

    /// <summary>The error as Anthropic's clients read it; the gateway's code stands beside the type.</summary>
    private static void WriteErrorBody(IBufferWriter<byte> output, GatewayError error, bool inStream = false)
    {
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("type", "error");
        json.WriteStartObject("error");
        json.WriteString("type", error.Status switch
        {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            // In mid-stream it is not the caller who was too fast.
            429 when inStream && error.Code == "provider_rate_limited" => "overloaded_error",
            429 => "rate_limit_error",
            503 => "overloaded_error",
            >= 500 => "api_error",
            _ => "invalid_request_error",
        });
        json.WriteString("message", error.Message);
        json.WriteString("code", error.Code);
        json.WriteEndObject();
        json.WriteNull("request_id");
        json.WriteEndObject();
    }

    /// <summary>Anthropic's word for why an answer ended.</summary>
    public static string StopReason(string? finishReason) => finishReason switch
    {
        "length" => "max_tokens",
        "tool_calls" or "function_call" => "tool_use",
        "content_filter" => "refusal",
        _ => "end_turn",
    };

    /// <summary>Anthropic's usage: cached tokens are not part of <c>input_tokens</c>.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="usage">The tokens.</param>
    /// <param name="isWhole">Whether it is a message's, and not the shorter one at a stream's end.</param>
    /// <param name="cost">What it cost; null where that is not said.</param>
    public static void WriteUsage(Utf8JsonWriter json, TokenUsage usage, bool isWhole, Money? cost = null)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens", usage.Input + usage.InputAudio);
        json.WriteNumber("cache_creation_input_tokens", usage.CacheWrite5m + usage.CacheWrite1h);
        json.WriteNumber("cache_read_input_tokens", usage.CachedInput);
        json.WriteNumber("output_tokens", usage.CompletionTokens);
        if (cost is { } amount)
        {
            json.WriteNumber("cost", amount.ToDollars());
        }

        json.WriteStartObject("output_tokens_details");
        json.WriteNumber("thinking_tokens", usage.Reasoning);
        json.WriteEndObject();
        WriteNothing(json, ["server_tool_use"]);
        if (isWhole)
        {
            json.WriteStartObject("cache_creation");
            json.WriteNumber("ephemeral_5m_input_tokens", usage.CacheWrite5m);
            json.WriteNumber("ephemeral_1h_input_tokens", usage.CacheWrite1h);
            json.WriteEndObject();
            WriteNothing(json, ["inference_geo", "service_tier", "speed"]);
        }

        json.WriteEndObject();
    }

    /// <summary>Members that are always there and have nothing to say of another provider's answer.</summary>
    public static void WriteNothing(Utf8JsonWriter json, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            json.WriteNull(name);
        }
    }

    /// <summary>Who called a tool: the model itself, as Anthropic says since its tools can call one another.</summary>
    public static void WriteCaller(Utf8JsonWriter json)
    {
        json.WriteStartObject("caller");
        json.WriteString("type", "direct");
        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, JsonElement message, IReadOnlyList<StreamedCall> calls, OwnToolNames names)
    {
        var thinking = message.Field("thinking_blocks"u8);
        foreach (var block in thinking.Items())
        {
            if (block.Field("type"u8).Is("thinking"u8) && block.Field("signature"u8).RawText().IsEmpty)
            {
                WriteThinking(json, block.Field("thinking"u8), signature: null);
            }
            else
            {
                json.WriteCopy(block);
            }
        }

        var thought = ChatRequest.ThoughtsOf(message);
        var signature = TextSignature.In(message);
        if (!thinking.Items().Any() && (!thought.RawText().IsEmpty || signature is not null))
        {
            WriteThinking(json, thought, signature);
        }

        WriteText(json, message.Field("content"u8));
        WriteText(json, message.Field("refusal"u8));
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "tool_use"u8);
            json.WriteString("id"u8, call.Id);
            json.WriteString("name"u8, names.Of(call.Name));
            json.WritePropertyName("input"u8);
            ToolArguments.Write(json, call.Arguments.ToString());
            WriteCaller(json);
            json.WriteEndObject();
        }
    }

    /// <summary>Only Anthropic signs its thinking, and takes none back without. Gemini signs a text.</summary>
    private static void WriteThinking(Utf8JsonWriter json, JsonElement thought, string? signature)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "thinking"u8);
        json.WriteRawValueMember("thinking"u8, thought.RawText().IsEmpty ? "\"\""u8 : thought.Raw());
        json.WriteString("signature"u8, TextSignature.Mark(signature));
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, JsonElement text)
    {
        if (text.ValueKind == JsonValueKind.String && !text.ValueEquals(""u8))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "text"u8);
            json.WriteCopy("text"u8, text);
            json.WriteEndObject();
        }
    }
}
