using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Writes Bedrock's Converse request for a request in OpenAI's chat format.</summary>
internal sealed class BedrockRequest
{
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
    private readonly BedrockModel model;
    private readonly string? effort;
    private readonly AnthropicModel claude;

    // Null where the model is not Claude: then nothing is known of how it thinks.
    private readonly AnthropicThinking? thinking;
    private readonly JsonReplyForm jsonReply;

    private BedrockRequest(JsonElement request, in ChatCall call, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.call = call;
        this.dropped = dropped;
        this.writer = writer;
        model = new BedrockModel(call.KnownModel);
        effort = SaysEffortItself ? null : model.EffortOf(request.Field("reasoning_effort"u8).Text());
        if (model.IsUnbounded(effort) && StatesBound)
        {
            // The bound is what the caller pays at most, and what its budget was asked for: the effort is what gives way.
            effort = "medium";
            dropped.AddAdvice("reasoning_effort");
        }

        claude = AnthropicModel.Of(call.KnownModel);
        if (model.IsClaude)
        {
            jsonReply = JsonReply.FormOf(request, claude);
            var forcesTool = ChatRequest.ToolChoiceOf(request).Forces || jsonReply == JsonReplyForm.Tool;
            thinking = new AnthropicThinking(request, claude, call.MaxOutputTokens, forcesTool, dropped);
        }
    }

    /// <summary>Writes the request. The model stands in the address.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        var dropped = new DroppedFields(droppedNames, call.DropUnsupported, "Bedrock");
        using var document = ChatRequest.Parse(body);
        var (request, decided) = (document.RootElement, call);
        CacheMarks.Write(body.Span, output, dropped, writer => new BedrockRequest(request, decided, dropped, writer).Write());
    }

    private void Write()
    {
        ChatRequest.RefuseSeveralChoices(request, "Bedrock");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        BedrockMessages.Write(request.Field("messages"u8), writer, dropped);
        WriteModelFields();
        WriteInference();
        new BedrockTools(request, thinking, jsonReply == JsonReplyForm.Tool, dropped, writer).Write();
        WriteResponseFormat();
        Copy("guardrailConfig", "guardrailConfig");
        Copy("guardrail_config", "guardrailConfig");
        Copy("performanceConfig", "performanceConfig");
        Copy("requestMetadata", "requestMetadata");
        WriteServiceTier(request.Field("service_tier"u8));
        writer.WriteEndObject();
    }

    private void WriteServiceTier(JsonElement tier)
    {
        if (tier.Text() is "default" or "flex" or "priority" or "reserved")
        {
            writer.WriteStartObject("serviceTier"u8);
            writer.WriteCopy("type"u8, tier);
            writer.WriteEndObject();
        }
        else if (tier.Given() && !tier.Is("auto"u8))
        {
            dropped.Add("service_tier");
        }
    }

    private void Copy(string from, string to)
    {
        if (request.TryGetProperty(from, out var value) && value.ValueKind == JsonValueKind.Object)
        {
            writer.WritePropertyName(to);
            writer.WriteCopy(value);
        }
    }

    private void WriteInference()
    {
        writer.WriteStartObject("inferenceConfig"u8);
        if ((thinking?.MaxTokens ?? ChatRequest.MaxTokens(request)) is { } most)
        {
            writer.WriteNumber("maxTokens"u8, most);
        }

        if (thinking is not null)
        {
            AnthropicSampling.Write(request, claude, thinking.IsOn, "topP"u8, dropped, writer);
        }
        else
        {
            CopyNumber("temperature", "temperature"u8);
            CopyNumber("top_p", "topP"u8);
        }

        // Claude refuses a sequence of white space alone, Converse one of nothing.
        ChatRequest.WriteStops(
            request, writer, "stopSequences"u8, dropped, thinking is not null ? string.IsNullOrWhiteSpace : model.RefusesSampling ? static _ => true : string.IsNullOrEmpty);
        writer.WriteEndObject();
    }

    private void CopyNumber(string from, ReadOnlySpan<byte> to)
    {
        if (!request.TryGetProperty(from, out var number) || number.ValueKind != JsonValueKind.Number)
        {
            return;
        }

        if (!model.RefusesSampling)
        {
            writer.WriteCopy(to, number);
        }
        else if (number.GetDouble() != 1)
        {
            dropped.Add(from);
        }
    }

    /// <summary>Whether the caller says in the model's own words how much it is to think.</summary>
    private bool SaysEffortItself =>
        request.Field("additionalModelRequestFields"u8) is var own &&
        (own.Field("reasoning"u8).Given() || own.Field("reasoning_effort"u8).Given() || own.Field("reasoningConfig"u8).Given());

    private bool StatesBound =>
        ChatRequest.MaxTokens(request) is not null || request.Field("temperature"u8).ValueKind == JsonValueKind.Number ||
        request.Field("top_p"u8).ValueKind == JsonValueKind.Number || request.Field("top_k"u8).ValueKind == JsonValueKind.Number;

    /// <summary>What Converse has no member for and the model's own protocol has.</summary>
    private void WriteModelFields()
    {
        var own = request.Field("additionalModelRequestFields"u8);
        var topK = ModelsTopK(own);
        NameThinkingOfOthers();
        if (own.ValueKind != JsonValueKind.Object && thinking is not { IsSaid: true } and not { Effort: not null } && topK.ValueKind != JsonValueKind.Number && effort is null)
        {
            return;
        }

        writer.WriteStartObject("additionalModelRequestFields"u8);
        foreach (var field in own.Fields())
        {
            writer.WriteCopy(field);
        }

        if (topK.ValueKind == JsonValueKind.Number)
        {
            WriteTopK(topK);
        }

        if (thinking is not null && !own.Field("thinking"u8).Given())
        {
            thinking.Write(writer);
        }

        if (effort is not null)
        {
            model.WriteEffort(writer, effort);
        }

        if (thinking?.Effort is { } asked && !own.Field("output_config"u8).Given())
        {
            writer.WriteStartObject("output_config"u8);
            writer.WriteString("effort"u8, asked);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private void NameThinkingOfOthers()
    {
        if (thinking is not null)
        {
            return;
        }

        var asked = request.Field("thinking"u8);
        if (asked.ValueKind == JsonValueKind.Object && !asked.Field("type"u8).Is("disabled"u8))
        {
            dropped.Add("thinking");
        }

        if (!model.TakesEffort && request.Field("reasoning_effort"u8).Text() is not (null or "none"))
        {
            dropped.Add("reasoning_effort");
        }
    }

    /// <summary><c>top_k</c> where the model takes it and the caller's own fields do not have it.</summary>
    private JsonElement ModelsTopK(JsonElement own)
    {
        var topK = request.Field("top_k"u8);
        if (topK.ValueKind != JsonValueKind.Number || own.Field("top_k"u8).Given())
        {
            return default;
        }

        if (thinking is not null ? thinking.IsOn || claude.RefusesSampling : model.IsNova && own.Field("inferenceConfig"u8).Given())
        {
            dropped.Add("top_k");
            return default;
        }

        return topK;
    }

    private void WriteTopK(JsonElement topK)
    {
        if (!model.IsNova)
        {
            writer.WriteCopy("top_k"u8, topK);
            return;
        }

        // Nova refuses a member that it does not know ("extraneous key"), and has this one elsewhere.
        writer.WriteStartObject("inferenceConfig"u8);
        writer.WriteCopy("topK"u8, topK);
        writer.WriteEndObject();
    }

    private void WriteResponseFormat()
    {
        var format = request.Field("response_format"u8);
        var schema = format.Field("json_schema"u8).Field("schema"u8);
        if (schema.ValueKind == JsonValueKind.Object && (thinking is null || jsonReply == JsonReplyForm.Schema))
        {
            writer.WriteStartObject("outputConfig"u8);
            writer.WriteStartObject("textFormat"u8);
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WriteStartObject("structure"u8);
            writer.WriteStartObject("jsonSchema"u8);

            // Converse takes the schema as text.
            writer.WriteString("schema"u8, thinking is null ? schema.Raw() : ClosedSchema(schema));
            writer.WriteString("name"u8, format.Field("json_schema"u8).Field("name"u8).Text() ?? "reply");
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        else if (jsonReply != JsonReplyForm.Tool && format.Field("type"u8).Text() is ("json_object" or "json_schema"))
        {
            dropped.Add("response_format");
        }
    }

    private ReadOnlySpan<byte> ClosedSchema(JsonElement schema)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Completion.Writing))
        {
            AnthropicSchema.Write(schema, "response_format.json_schema.schema", dropped, json);
        }

        return buffer.WrittenSpan;
    }
}
