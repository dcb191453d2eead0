using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>Writes Anthropic's <c>/v1/messages</c> request for a request in OpenAI's chat format.</summary>
internal sealed class AnthropicRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "parallel_tool_calls", "response_format", "reasoning_effort", "user", "safety_identifier", "n", "service_tier", "functions", "function_call",
        "thinking", "top_k", "output_config", "container", "mcp_servers", "context_management", "cache_control", "inference_geo", "metadata",
    };

    // Anthropic's own members: a caller who names them means them.
    private static readonly string[] Own = ["container", "mcp_servers", "context_management", "cache_control", "inference_geo"];

    private readonly JsonElement request;
    private readonly ChatCall call;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;
    private readonly AnthropicModel model;
    private readonly JsonReplyForm jsonReply;
    private readonly AnthropicThinking thinking;

    private AnthropicRequest(JsonElement request, in ChatCall call, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.call = call;
        this.dropped = dropped;
        this.writer = writer;
        model = AnthropicModel.Of(call.KnownModel);
        jsonReply = JsonReply.FormOf(request, model);
        var forcesTool = ChatRequest.ToolChoiceOf(request).Forces || jsonReply == JsonReplyForm.Tool;
        thinking = new AnthropicThinking(request, model, call.MaxOutputTokens, forcesTool, dropped);
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        var dropped = new DroppedFields(droppedNames, call.DropUnsupported, "Anthropic");
        using var document = ChatRequest.Parse(body);
        var (request, decided) = (document.RootElement, call);
        CacheMarks.Write(body.Span, output, dropped, writer => new AnthropicRequest(request, decided, dropped, writer).Write());
    }

    private void Write()
    {
        ChatRequest.RefuseSeveralChoices(request, "Anthropic");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        writer.WriteString("model"u8, call.ProviderModel);
        writer.WriteNumber("max_tokens"u8, thinking.MaxTokens);
        AnthropicMessages.Write(request.Field("messages"u8), writer, dropped);
        WriteSampling();

        // Anthropic refuses a sequence of white space alone.
        ChatRequest.WriteStops(request, writer, "stop_sequences"u8, dropped, string.IsNullOrWhiteSpace);
        AnthropicTools.Write(request, model, givesJson: jsonReply == JsonReplyForm.Tool, thinking.MayForce, dropped, writer);
        WriteThinkingAndOutput();
        WriteUser();
        WriteServiceTier();
        writer.WriteFieldsOf(request, Own);

        if (call.Stream)
        {
            writer.WriteBoolean("stream"u8, true);
        }

        writer.WriteEndObject();
    }

    private void WriteSampling()
    {
        AnthropicSampling.Write(request, model, thinking.IsOn, "top_p"u8, dropped, writer);
        if (request.Field("top_k"u8) is not { ValueKind: JsonValueKind.Number } topK)
        {
            return;
        }

        if (thinking.IsOn || model.RefusesSampling)
        {
            dropped.Add("top_k");
        }
        else
        {
            writer.WriteCopy("top_k"u8, topK);
        }
    }

    private void WriteThinkingAndOutput()
    {
        thinking.Write(writer);
        var own = request.Field("output_config"u8);
        var writesEffort = thinking.Effort is not null && !own.Field("effort"u8).Given();
        var writesFormat = jsonReply == JsonReplyForm.Schema && !own.Field("format"u8).Given();
        if (!writesEffort && !writesFormat && own.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        writer.WriteStartObject("output_config"u8);
        foreach (var member in own.Fields())
        {
            writer.WriteCopy(member);
        }

        if (writesEffort)
        {
            writer.WriteString("effort"u8, thinking.Effort);
        }

        if (writesFormat)
        {
            writer.WriteStartObject("format"u8);
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WritePropertyName("schema"u8);
            AnthropicSchema.Write(request.Field("response_format"u8).Field("json_schema"u8).Field("schema"u8), "response_format.json_schema.schema", dropped, writer);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private void WriteUser()
    {
        var metadata = request.Field("metadata"u8);
        var (name, user) = metadata.Field("user_id"u8).ValueKind == JsonValueKind.String ? ("metadata.user_id", metadata.Field("user_id"u8))
            : request.Field("user"u8).ValueKind == JsonValueKind.String ? ("user", request.Field("user"u8))
            : ("safety_identifier", request.Field("safety_identifier"u8));
        if (EndUser.TellsWho(user))
        {
            dropped.AddAdvice(name);
        }
        else if (user.ValueKind == JsonValueKind.String)
        {
            writer.WriteStartObject("metadata"u8);
            EndUser.Write(writer, "user_id"u8, user, EndUser.AnthropicLengthMax, name, dropped);
            writer.WriteEndObject();
        }

        if (metadata.Fields().Any(member => !member.NameEquals("user_id"u8)))
        {
            dropped.Add("metadata");
        }
    }

    private void WriteServiceTier()
    {
        var tier = request.Field("service_tier"u8);
        if (tier.Is("auto"u8) || tier.Is("standard_only"u8))
        {
            writer.WriteCopy("service_tier"u8, tier);
        }
        else if (tier.Is("default"u8))
        {
            writer.WriteString("service_tier"u8, "standard_only"u8);
        }
        else if (tier.Given())
        {
            dropped.Add("service_tier");
        }
    }
}
