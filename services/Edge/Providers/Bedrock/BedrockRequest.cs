using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Writes Bedrock's Converse request for a request in OpenAI's chat format.</summary>
internal sealed class BedrockRequest
{
    private const int ThinkingTokensMin = 1024;

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "tools", "tool_choice",
        "reasoning_effort", "thinking", "n", "functions", "function_call", "response_format", "guardrailConfig", "guardrail_config", "performanceConfig",
        "additionalModelRequestFields", "requestMetadata", "service_tier",
    };

    private readonly JsonElement request;
    private readonly ChatCall call;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;
    private readonly bool isClaude;
    private readonly AnthropicModel claude;
    private readonly int? maxTokens;

    private BedrockRequest(JsonElement request, in ChatCall call, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.call = call;
        this.dropped = dropped;
        this.writer = writer;
        isClaude = call.ProviderModel.Contains("claude", StringComparison.OrdinalIgnoreCase);
        claude = AnthropicModel.Of(call.ProviderModel);
        maxTokens = ChatRequest.MaxTokens(request) ?? (isClaude ? call.MaxOutputTokens ?? 4096 : null);
    }

    /// <summary>Writes the request. The model stands in the address.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        new BedrockRequest(document.RootElement, call, new DroppedFields(droppedNames, call.DropUnsupported, "Bedrock"), writer).Write();
    }

    private void Write()
    {
        ChatRequest.RefuseSeveralChoices(request, "Bedrock");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        BedrockMessages.Write(request.Field("messages"u8), writer, dropped);
        var thinks = WriteModelFields();
        WriteInference(thinks);
        WriteTools(thinks);
        WriteResponseFormat();
        Copy("guardrailConfig", "guardrailConfig");
        Copy("guardrail_config", "guardrailConfig");
        Copy("performanceConfig", "performanceConfig");
        Copy("requestMetadata", "requestMetadata");
        if (request.Field("service_tier"u8).Text() is "default" or "flex" or "priority" or "reserved")
        {
            writer.WriteStartObject("serviceTier"u8);
            writer.WriteCopy("type"u8, request.Field("service_tier"u8));
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private void Copy(string from, string to)
    {
        if (request.TryGetProperty(from, out var value) && value.ValueKind == JsonValueKind.Object)
        {
            writer.WritePropertyName(to);
            writer.WriteCopy(value);
        }
    }

    private void WriteInference(bool thinks)
    {
        writer.WriteStartObject("inferenceConfig"u8);
        if (maxTokens is { } most)
        {
            writer.WriteNumber("maxTokens"u8, most);
        }

        var refusesSampling = thinks || (isClaude && claude.RefusesSampling);
        if (request.Field("temperature"u8) is { ValueKind: JsonValueKind.Number } temperature)
        {
            var value = temperature.GetDouble();
            if (refusesSampling)
            {
                if (value != 1)
                {
                    dropped.Add("temperature");
                }
            }
            else if (isClaude && value > 1)
            {
                dropped.Add("temperature");
                writer.WriteNumber("temperature"u8, 1);
            }
            else
            {
                writer.WriteCopy("temperature"u8, temperature);
            }
        }

        if (request.Field("top_p"u8) is { ValueKind: JsonValueKind.Number } topP)
        {
            if (refusesSampling)
            {
                dropped.Add("top_p");
            }
            else
            {
                writer.WriteCopy("topP"u8, topP);
            }
        }

        var stops = ChatRequest.Stops(request).Where(stop => !string.IsNullOrWhiteSpace(stop.Text())).ToList();
        if (stops.Count > 0)
        {
            writer.WriteStartArray("stopSequences"u8);
            foreach (var stop in stops)
            {
                writer.WriteCopy(stop);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    /// <summary>What Converse has no member for and the model's own protocol has; true when the model is to think.</summary>
    private bool WriteModelFields()
    {
        var own = request.Field("additionalModelRequestFields"u8);
        var thinking = request.Field("thinking"u8);
        var effort = request.Field("reasoning_effort"u8).Text();
        var topK = request.Field("top_k"u8);
        var thinks = thinking.ValueKind == JsonValueKind.Object || Thinks(effort);
        if (own.ValueKind != JsonValueKind.Object && !thinks && topK.ValueKind != JsonValueKind.Number)
        {
            return false;
        }

        writer.WriteStartObject("additionalModelRequestFields"u8);
        foreach (var field in own.Fields())
        {
            writer.WritePropertyName(field.Name);
            writer.WriteCopy(field.Value);
        }

        if (topK.ValueKind == JsonValueKind.Number && !own.Field("top_k"u8).Given())
        {
            writer.WriteCopy("top_k"u8, topK);
        }

        if (thinking.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("thinking"u8, thinking);
        }
        else if (thinks && claude.ThinksAdaptively)
        {
            writer.WriteRawValueMember("thinking"u8, """{"type":"adaptive"}"""u8);
            writer.WriteStartObject("output_config"u8);
            writer.WriteString("effort"u8, effort is "minimal" ? "low" : effort is "xhigh" ? "max" : effort);
            writer.WriteEndObject();
        }
        else if (thinks)
        {
            writer.WriteStartObject("thinking"u8);
            writer.WriteString("type"u8, "enabled"u8);
            writer.WriteNumber("budget_tokens"u8, Math.Min((effort is "medium" ? 2 : effort is "high" ? 4 : effort is "xhigh" ? 16 : 1) * ThinkingTokensMin, maxTokens!.Value - 1));
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        return thinks;
    }

    private bool Thinks(string? effort)
    {
        if (effort is null or "none")
        {
            return false;
        }

        var forced = ChatRequest.ToolChoiceOf(request).Mode is "required" or "named";
        if (isClaude && claude.Thinks && !forced && maxTokens > ThinkingTokensMin &&
            (claude.ThinksAdaptively || !AnthropicMessages.LastToolCallLacksThinking(request.Field("messages"u8))))
        {
            return true;
        }

        dropped.Add("reasoning_effort");
        return false;
    }

    private void WriteTools(bool thinks)
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var allowed = ChatRequest.AllowedTools(request);
        var tools = request.Field("tools"u8).Items().ToList();
        if (tools.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("toolConfig"u8);
        writer.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            var function = tool.Field("function"u8);
            if (function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Bedrock takes functions only: each tool needs a function with a name.", "tools");
            }

            if (allowed is null || allowed.Contains(function.Field("name"u8).Text()!))
            {
                WriteTool(tool, function);
            }
        }

        writer.WriteEndArray();
        switch (choice.Mode)
        {
            case "required" or "any" when !thinks:
                writer.WriteRawValueMember("toolChoice"u8, """{"any":{}}"""u8);
                break;
            case "named" when !thinks:
                writer.WriteStartObject("toolChoice"u8);
                writer.WriteStartObject("tool"u8);
                writer.WriteString("name"u8, choice.Name);
                writer.WriteEndObject();
                writer.WriteEndObject();
                break;
            case "none":
                // Converse has no such choice, and wants the tools stated when the conversation has calls of them.
                dropped.Add("tool_choice");
                break;
            case "auto":
                writer.WriteRawValueMember("toolChoice"u8, """{"auto":{}}"""u8);
                break;
        }

        writer.WriteEndObject();
    }

    private void WriteTool(JsonElement tool, JsonElement function)
    {
        dropped.AddStrictOf(function);
        writer.WriteStartObject();
        writer.WriteStartObject("toolSpec"u8);
        writer.WriteCopy("name"u8, function.Field("name"u8));
        if (function.Field("description"u8) is { ValueKind: JsonValueKind.String } description && !description.RawText().IsEmpty)
        {
            writer.WriteCopy("description"u8, description);
        }

        writer.WriteStartObject("inputSchema"u8);
        writer.WritePropertyName("json"u8);
        if (function.Field("parameters"u8).Field("type"u8).Given())
        {
            writer.WriteCopy(function.Field("parameters"u8));
        }
        else
        {
            writer.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
        if (tool.Field("cache_control"u8).ValueKind == JsonValueKind.Object)
        {
            BedrockMessages.WriteCachePoint(writer, tool.Field("cache_control"u8));
        }
    }

    private void WriteResponseFormat()
    {
        var format = request.Field("response_format"u8);
        var schema = format.Field("json_schema"u8).Field("schema"u8);
        if (schema.ValueKind == JsonValueKind.Object && (!isClaude || claude.TakesSchema))
        {
            writer.WriteStartObject("outputConfig"u8);
            writer.WriteStartObject("textFormat"u8);
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WriteStartObject("structure"u8);
            writer.WriteStartObject("jsonSchema"u8);

            // Converse takes the schema as text.
            writer.WriteString("schema"u8, schema.Raw());
            writer.WriteString("name"u8, format.Field("json_schema"u8).Field("name"u8).Text() ?? "reply");
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        else if (format.Field("type"u8).Text() is "json_object" or "json_schema")
        {
            dropped.Add("response_format");
        }
    }
}
