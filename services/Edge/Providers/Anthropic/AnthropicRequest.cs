using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>Writes Anthropic's <c>/v1/messages</c> request for a request in OpenAI's chat format.</summary>
internal sealed class AnthropicRequest
{
    // Anthropic must be told a bound. A model whose maximum is unknown gets one that every Claude model accepts.
    private const int MaxTokensWhenUnknown = 4096;

    private const int ThinkingTokensMin = 1024;

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
    private readonly int maxTokens;
    private readonly JsonReplyForm jsonReply;
    private readonly Thinking thinking;

    private AnthropicRequest(JsonElement request, in ChatCall call, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.call = call;
        this.dropped = dropped;
        this.writer = writer;
        model = AnthropicModel.Of(call.ProviderModel);
        maxTokens = ChatRequest.MaxTokens(request) ?? call.MaxOutputTokens ?? MaxTokensWhenUnknown;
        jsonReply = JsonReplyOf(request, model);
        thinking = ThinkingOf();
    }

    private enum JsonReplyForm
    {
        None,
        Schema,
        Tool,
    }

    private enum Thinking
    {
        None,
        Given,
        Adaptive,
        EffortOnly,
        Budget,
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        var dropped = new DroppedFields(droppedNames, call.DropUnsupported, "Anthropic");
        new AnthropicRequest(document.RootElement, call, dropped, writer).Write();
    }

    private void Write()
    {
        ChatRequest.RefuseSeveralChoices(request, "Anthropic");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        writer.WriteString("model"u8, call.ProviderModel);
        writer.WriteNumber("max_tokens"u8, maxTokens);
        AnthropicMessages.Write(request.Field("messages"u8), writer, dropped);
        WriteSampling();
        WriteStops();
        AnthropicTools.Write(request, model, givesJson: jsonReply == JsonReplyForm.Tool, mayForce: thinking is Thinking.None or Thinking.EffortOnly, dropped, writer);
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
        // A model that thinks wants temperature 1, and top_p near it.
        var refused = model.RefusesSampling || thinking is Thinking.Budget or Thinking.Adaptive;
        if (request.Field("temperature"u8) is { ValueKind: JsonValueKind.Number } temperature)
        {
            var value = temperature.GetDouble();
            if (refused)
            {
                if (value != 1)
                {
                    dropped.Add("temperature");
                }
            }
            else if (value > 1)
            {
                // OpenAI's range ends at 2, Anthropic's at 1.
                dropped.Add("temperature");
                writer.WriteNumber("temperature"u8, 1);
            }
            else
            {
                writer.WriteCopy("temperature"u8, temperature);
            }
        }

        CopyUnlessRefused("top_p", refused && !(request.Field("top_p"u8).Scalar() is "1" or "1.0"));
        CopyUnlessRefused("top_k", refused);
    }

    private void CopyUnlessRefused(string name, bool refused)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number)
        {
            return;
        }

        if (refused)
        {
            dropped.Add(name);
        }
        else if (!model.RefusesSampling)
        {
            writer.WritePropertyName(name);
            writer.WriteCopy(value);
        }
    }

    private void WriteStops()
    {
        var begun = false;
        foreach (var stop in ChatRequest.Stops(request))
        {
            // Anthropic refuses a sequence of white space alone.
            if (string.IsNullOrWhiteSpace(stop.Text()))
            {
                dropped.Add("stop");
                continue;
            }

            if (!begun)
            {
                begun = true;
                writer.WriteStartArray("stop_sequences"u8);
            }

            writer.WriteCopy(stop);
        }

        if (begun)
        {
            writer.WriteEndArray();
        }
    }

    private Thinking ThinkingOf()
    {
        if (request.Field("thinking"u8).ValueKind == JsonValueKind.Object)
        {
            return Thinking.Given;
        }

        var effort = request.Field("reasoning_effort"u8).Text();
        if (effort is null or "none")
        {
            return Thinking.None;
        }

        // A tool cannot be forced on a model that thinks; without thinking the effort still says how much to write.
        var forced = ChatRequest.ToolChoiceOf(request).Mode is "required" or "named" || jsonReply == JsonReplyForm.Tool;
        if (model.ThinksAdaptively)
        {
            return forced ? Thinking.EffortOnly : Thinking.Adaptive;
        }

        // Thinking for a number of tokens needs room for them under the caller's bound, and the thinking of the turn that called a tool.
        if (!model.Thinks || maxTokens <= ThinkingTokensMin || forced || AnthropicMessages.LastToolCallLacksThinking(request.Field("messages"u8)))
        {
            dropped.Add("reasoning_effort");
            return Thinking.None;
        }

        return Thinking.Budget;
    }

    private void WriteThinkingAndOutput()
    {
        var effort = request.Field("reasoning_effort"u8).Text();
        switch (thinking)
        {
            case Thinking.Given:
                writer.WriteCopy("thinking"u8, request.Field("thinking"u8));
                break;
            case Thinking.Adaptive:
                writer.WriteStartObject("thinking"u8);
                writer.WriteString("type"u8, "adaptive"u8);
                writer.WriteEndObject();
                break;
            case Thinking.Budget:
                writer.WriteStartObject("thinking"u8);
                writer.WriteString("type"u8, "enabled"u8);
                writer.WriteNumber("budget_tokens"u8, Math.Min(BudgetOf(effort), maxTokens - 1));
                writer.WriteEndObject();
                break;
        }

        var own = request.Field("output_config"u8);
        var writesEffort = thinking is (Thinking.Adaptive or Thinking.EffortOnly) && !own.Field("effort"u8).Given();
        var writesFormat = jsonReply == JsonReplyForm.Schema && !own.Field("format"u8).Given();
        if (!writesEffort && !writesFormat && own.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        writer.WriteStartObject("output_config"u8);
        foreach (var member in own.Fields())
        {
            writer.WritePropertyName(member.Name);
            writer.WriteCopy(member.Value);
        }

        if (writesEffort)
        {
            writer.WriteString("effort"u8, EffortOf(effort));
        }

        if (writesFormat)
        {
            writer.WriteStartObject("format"u8);
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WriteCopy("schema"u8, request.Field("response_format"u8).Field("json_schema"u8).Field("schema"u8));
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static int BudgetOf(string? effort) => effort switch
    {
        "minimal" or "low" => ThinkingTokensMin,
        "medium" => 2 * ThinkingTokensMin,
        "high" => 4 * ThinkingTokensMin,
        _ => 16 * ThinkingTokensMin,
    };

    private string EffortOf(string? effort) => effort switch
    {
        "minimal" or "low" => "low",
        "xhigh" => model.RefusesSampling ? "xhigh" : "max",
        "medium" or "high" or "max" => effort,
        _ => "high",
    };

    private static JsonReplyForm JsonReplyOf(JsonElement request, AnthropicModel model)
    {
        var format = request.Field("response_format"u8);
        if (format.Field("type"u8).Is("json_schema"u8))
        {
            var hasSchema = format.Field("json_schema"u8).Field("schema"u8).ValueKind == JsonValueKind.Object;
            return model.TakesSchema && hasSchema ? JsonReplyForm.Schema : JsonReplyForm.Tool;
        }

        return format.Field("type"u8).Is("json_object"u8) ? JsonReplyForm.Tool : JsonReplyForm.None;
    }

    private void WriteUser()
    {
        var metadata = request.Field("metadata"u8);
        var user = metadata.Field("user_id"u8);
        user = user.ValueKind == JsonValueKind.String ? user : request.Field("user"u8);
        user = user.ValueKind == JsonValueKind.String ? user : request.Field("safety_identifier"u8);
        if (user.ValueKind == JsonValueKind.String)
        {
            writer.WriteStartObject("metadata"u8);
            writer.WriteCopy("user_id"u8, user);
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
