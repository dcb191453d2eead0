using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Messages;

/// <summary>Anthropic's messages as a surface. Format: Anthropic's API reference, "Messages", version 2023-06-01.</summary>
internal sealed class MessagesSurface : IChatSurface
{
    public string CallType => "anthropic_messages";

    public void WriteRequest(ReadOnlyMemory<byte> request, IBufferWriter<byte> output)
    {
        var root = JsonNode.Parse(request.Span, documentOptions: new JsonDocumentOptions { MaxDepth = 128 }) as JsonObject ?? throw new JsonException();
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        MessagesRequest.Write(root, json);
    }

    public void WriteReply(ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = JsonDocument.Parse(completion);
        var root = document.RootElement;
        var choice = root.GetProperty("choices") is { ValueKind: JsonValueKind.Array } choices && choices.GetArrayLength() > 0 ? choices[0] : default;
        var message = choice.ValueKind == JsonValueKind.Object && choice.TryGetProperty("message", out var found) ? found : default;
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("id", IdOf(root));
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", root.TryGetProperty("model", out var model) ? model.GetString() : "");
        json.WriteStartArray("content");
        WriteContent(json, message);
        json.WriteEndArray();
        json.WriteString("stop_reason", StopReason(choice.ValueKind == JsonValueKind.Object && choice.TryGetProperty("finish_reason", out var reason) ? reason.GetString() : null));
        json.WriteNull("stop_sequence");
        json.WritePropertyName("usage");
        WriteUsage(json, usage);
        json.WriteEndObject();
    }

    public IChatSurfaceStream OpenStream(ChatExchange exchange) => new MessagesStream(exchange);

    public async Task WriteErrorAsync(HttpContext context, GatewayError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        if (error.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        var body = new ArrayBufferWriter<byte>(256);
        WriteError(body, error);
        await response.Body.WriteAsync(body.WrittenMemory);
    }

    /// <summary>The error as Anthropic's clients read it; the gateway's code stands beside the type.</summary>
    public static void WriteError(IBufferWriter<byte> output, GatewayError error)
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
            429 => "rate_limit_error",
            503 => "overloaded_error",
            >= 500 => "api_error",
            _ => "invalid_request_error",
        });
        json.WriteString("message", error.Message);
        json.WriteString("code", error.Code);
        json.WriteEndObject();
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
    public static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens", usage.Input + usage.InputAudio);
        json.WriteNumber("cache_creation_input_tokens", usage.CacheWrite5m + usage.CacheWrite1h);
        json.WriteNumber("cache_read_input_tokens", usage.CachedInput);
        json.WriteNumber("output_tokens", usage.CompletionTokens);
        json.WriteEndObject();
    }

    /// <summary>Tool arguments as the object that Anthropic's clients expect; what is no object is kept under a name.</summary>
    public static void WriteInput(Utf8JsonWriter json, string arguments)
    {
        try
        {
            using var parsed = JsonDocument.Parse(arguments.Length == 0 ? "{}" : arguments);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
            {
                json.WriteRawValue(arguments.Length == 0 ? "{}" : arguments, skipInputValidation: true);
                return;
            }
        }
        catch (JsonException)
        {
            // The model wrote half of something: the client sees what it wrote.
        }

        json.WriteStartObject();
        json.WriteString("invalid_arguments", arguments);
        json.WriteEndObject();
    }

    /// <summary>Who called a tool: the model itself, as Anthropic says since its tools can call one another.</summary>
    public static void WriteCaller(Utf8JsonWriter json)
    {
        json.WriteStartObject("caller");
        json.WriteString("type", "direct");
        json.WriteEndObject();
    }

    private static string IdOf(JsonElement root) =>
        root.TryGetProperty("id", out var id) && id.GetString() is { Length: > 0 } text ? (text.StartsWith("msg_", StringComparison.Ordinal) ? text : $"msg_{text}") : "msg_gateway";

    private static void WriteContent(Utf8JsonWriter json, JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (message.TryGetProperty("thinking_blocks", out var thinking) && thinking.ValueKind == JsonValueKind.Array)
        {
            foreach (var block in thinking.EnumerateArray())
            {
                block.WriteTo(json);
            }
        }

        foreach (var name in (string[])["content", "refusal"])
        {
            if (message.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && text.GetString() is { Length: > 0 } words)
            {
                json.WriteStartObject();
                json.WriteString("type", "text");
                json.WriteString("text", words);
                json.WriteEndObject();
            }
        }

        if (message.TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (var call in calls.EnumerateArray())
            {
                var function = call.GetProperty("function");
                json.WriteStartObject();
                json.WriteString("type", "tool_use");
                json.WriteString("id", call.GetProperty("id").GetString());
                json.WriteString("name", function.GetProperty("name").GetString());
                json.WritePropertyName("input");
                WriteInput(json, function.TryGetProperty("arguments", out var arguments) ? arguments.GetString() ?? "" : "");
                WriteCaller(json);
                json.WriteEndObject();
            }
        }
    }
}
