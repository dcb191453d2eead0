using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Writes Cohere's <c>/v2/chat</c> request for a request in OpenAI's chat format. The two are close: most is a change of names.</summary>
internal sealed class CohereRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "response_format", "reasoning_effort", "n", "functions", "function_call", "seed", "frequency_penalty", "presence_penalty", "logprobs",
        "thinking", "top_k", "k", "documents", "citation_options", "safety_mode", "strict_tools", "priority",
    };

    // Cohere's own members, and those of one name and meaning in both.
    private static readonly string[] Copied = ["temperature", "seed", "logprobs", "documents", "citation_options", "safety_mode", "strict_tools", "priority"];

    private readonly JsonElement request;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private CohereRequest(JsonElement request, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.dropped = dropped;
        this.writer = writer;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        new CohereRequest(document.RootElement, new DroppedFields(droppedNames, call.DropUnsupported, "Cohere"), writer).Write(call);
    }

    private void Write(in ChatCall call)
    {
        ChatRequest.RefuseSeveralChoices(request, "Cohere");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        writer.WriteString("model"u8, call.ProviderModel);
        WriteMessages();
        foreach (var name in Copied)
        {
            writer.WriteFieldAs(request, name, name);
        }

        writer.WriteFieldAs(request, "top_p", "p");
        writer.WriteFieldAs(request, "top_k", "k");
        writer.WriteFieldAs(request, "k", "k");
        WritePenalty("frequency_penalty");
        WritePenalty("presence_penalty");
        if (ChatRequest.MaxTokens(request) is { } maxTokens)
        {
            writer.WriteNumber("max_tokens"u8, maxTokens);
        }

        ChatRequest.WriteStops(request, writer, "stop_sequences"u8, dropped);
        WriteTools();
        WriteResponseFormat();
        WriteThinking();
        if (call.Stream)
        {
            writer.WriteBoolean("stream"u8, true);
        }

        writer.WriteEndObject();
    }

    /// <summary>Cohere's penalties go from 0 to 1, OpenAI's from -2 to 2.</summary>
    private void WritePenalty(string name)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var penalty) || penalty == 0)
        {
            return;
        }

        if (penalty is < 0 or > 1)
        {
            dropped.Add(name);
        }

        if (penalty > 0)
        {
            writer.WritePropertyName(name);
            writer.WriteNumberValue(Math.Min(penalty, 1));
        }
    }

    private void WriteTools()
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var allowed = choice.Mode == "named" ? [choice.Name!] : ChatRequest.AllowedTools(request);
        var tools = request.Field("tools"u8).Items()
            .Where(tool => allowed is null || (tool.Field("function"u8).Field("name"u8).Text() is { } name && allowed.Contains(name))).ToList();
        if (tools.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            WriteTool(tool);
        }

        writer.WriteEndArray();

        // Cohere cannot name a tool. One tool alone that must be used is the same.
        var word = choice.Mode switch
        {
            "required" or "any" or "named" => "REQUIRED",
            "none" => "NONE",
            _ => null,
        };
        if (word is not null)
        {
            writer.WriteString("tool_choice"u8, word);
        }
    }

    private void WriteTool(JsonElement tool)
    {
        var function = tool.Field("function"u8);
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Cohere takes functions only: each tool needs a function with a name.", "tools");
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, "function"u8);
        writer.WriteStartObject("function"u8);
        writer.WriteCopy("name"u8, function.Field("name"u8));
        if (function.Field("description"u8).ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("description"u8, function.Field("description"u8));
        }

        writer.WritePropertyName("parameters"u8);
        if (function.Field("parameters"u8).ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy(function.Field("parameters"u8));
        }
        else
        {
            writer.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        if (function.Field("strict"u8).ValueKind == JsonValueKind.True && !request.Field("strict_tools"u8).Given())
        {
            // Cohere is strict for all tools or for none.
            dropped.AddAdvice("tools.function.strict");
        }
    }

    private void WriteResponseFormat()
    {
        var format = request.Field("response_format"u8);
        var schema = format.Field("json_schema"u8).Field("schema"u8);
        if (!format.Field("type"u8).Is("json_object"u8) && !format.Field("type"u8).Is("json_schema"u8))
        {
            return;
        }

        writer.WriteStartObject("response_format"u8);
        writer.WriteString("type"u8, "json_object"u8);
        if (schema.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("json_schema"u8, schema);
        }

        writer.WriteEndObject();
    }

    /// <summary>Cohere knows <c>enabled</c> with a <c>token_budget</c> and <c>disabled</c>; Anthropic's form has other words for the same, and more.</summary>
    private void WriteThinking()
    {
        var own = request.Field("thinking"u8);
        var effort = request.Field("reasoning_effort"u8).Text();
        if (effort is null && own.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var isOff = own.ValueKind == JsonValueKind.Object ? own.Field("type"u8).Is("disabled"u8) : effort == "none";
        var budget = own.Field("token_budget"u8).Int() ?? own.Field("budget_tokens"u8).Int() ?? effort switch
        {
            "minimal" or "low" => 1024,
            "medium" => 2048,
            _ => null,
        };
        foreach (var field in own.Fields())
        {
            if (field.Name is not ("type" or "token_budget" or "budget_tokens"))
            {
                dropped.AddGiven(field, isAdvice: true, "thinking.");
            }
        }

        writer.WriteStartObject("thinking"u8);
        writer.WriteString("type"u8, isOff ? "disabled"u8 : "enabled"u8);
        if (budget is { } tokens && !isOff)
        {
            writer.WriteNumber("token_budget"u8, tokens);
        }

        writer.WriteEndObject();
    }

    private void WriteMessages()
    {
        var messages = request.Field("messages"u8);
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new UntranslatableRequestException("messages must be an array with at least one message.", "messages");
        }

        writer.WriteStartArray("messages"u8);
        foreach (var message in messages.EnumerateArray())
        {
            var role = message.Field("role"u8).Text();
            if (message.Field("name"u8).Given() && role != "tool")
            {
                dropped.Add("messages.name");
            }

            writer.WriteStartObject();
            switch (role)
            {
                case "system" or "developer":
                    writer.WriteString("role"u8, "system"u8);
                    WriteContent(message.Field("content"u8), default);
                    break;
                case "user":
                    writer.WriteString("role"u8, "user"u8);
                    WriteContent(message.Field("content"u8), default);
                    break;
                case "assistant":
                    WriteAssistant(message);
                    break;
                case "tool":
                    writer.WriteString("role"u8, "tool"u8);
                    if (message.Field("tool_call_id"u8).ValueKind == JsonValueKind.String)
                    {
                        writer.WriteCopy("tool_call_id"u8, message.Field("tool_call_id"u8));
                    }

                    if (message.Field("content"u8).Items().Any(static part => part.Field("type"u8).Is("image_url"u8)))
                    {
                        throw new UntranslatableRequestException("Cohere's tools answer in texts and documents: show a picture in a user's message.", "messages.content");
                    }

                    WriteContent(message.Field("content"u8), default);
                    break;
                default:
                    throw new UntranslatableRequestException("A message's role must be system, developer, user, assistant or tool.", "messages.role");
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteAssistant(JsonElement message)
    {
        writer.WriteString("role"u8, "assistant"u8);
        dropped.AddThinkingBlocksOf(message);
        var calls = message.Field("tool_calls"u8).Items().ToList();
        var reasoning = message.Field("reasoning_content"u8);
        if (reasoning.ValueKind == JsonValueKind.String && calls.Count > 0)
        {
            writer.WriteCopy("tool_plan"u8, reasoning);
            reasoning = default;
        }

        var content = message.Field("content"u8);
        if (content.Given() || reasoning.ValueKind == JsonValueKind.String)
        {
            WriteContent(content, reasoning);
        }

        if (calls.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            var function = call.Field("function"u8);
            if (call.Field("id"u8).ValueKind != JsonValueKind.String || function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs an id and a function with a name.", "messages.tool_calls");
            }

            writer.WriteStartObject();
            writer.WriteCopy("id"u8, call.Field("id"u8));
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteCopy("name"u8, function.Field("name"u8));
            if (function.Field("arguments"u8).RawText().IsEmpty)
            {
                writer.WriteString("arguments"u8, "{}"u8);
            }
            else
            {
                writer.WriteCopy("arguments"u8, function.Field("arguments"u8));
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteContent(JsonElement content, JsonElement reasoning)
    {
        if (content.ValueKind == JsonValueKind.String && reasoning.ValueKind != JsonValueKind.String)
        {
            writer.WriteCopy("content"u8, content);
            return;
        }

        writer.WriteStartArray("content"u8);
        if (reasoning.ValueKind == JsonValueKind.String)
        {
            WriteText("thinking"u8, reasoning);
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            WriteText("text"u8, content);
        }

        foreach (var part in content.Items())
        {
            WritePart(part);
        }

        writer.WriteEndArray();
    }

    private void WritePart(JsonElement part)
    {
        var type = part.Field("type"u8);
        if (part.Field("cache_control"u8).Given())
        {
            dropped.AddAdvice("cache_control");
        }

        if (type.Is("text"u8) || type.Is("refusal"u8))
        {
            WriteText("text"u8, type.Is("text"u8) ? part.Field("text"u8) : part.Field("refusal"u8));
        }
        else if (type.Is("image_url"u8))
        {
            var image = part.Field("image_url"u8);
            writer.WriteStartObject();
            writer.WriteString("type"u8, "image_url"u8);
            writer.WritePropertyName("image_url"u8);
            if (image.ValueKind == JsonValueKind.Object)
            {
                writer.WriteCopy(image);
            }
            else
            {
                writer.WriteStartObject();
                writer.WriteString("url"u8, image.Text());
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }
        else if (type.Is("document"u8))
        {
            writer.WriteCopy(part);
        }
        else
        {
            throw new UntranslatableRequestException($"Cohere takes no content of type '{type.Text()}'.", "messages.content");
        }
    }

    private void WriteText(ReadOnlySpan<byte> type, JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("A text must be a string.", "messages.content");
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteCopy(type, text);
        writer.WriteEndObject();
    }
}
