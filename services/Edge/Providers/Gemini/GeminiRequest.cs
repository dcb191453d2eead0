using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Writes Google's <c>generateContent</c> request for a request in OpenAI's chat format.</summary>
internal sealed class GeminiRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "tools", "tool_choice",
        "parallel_tool_calls", "response_format", "reasoning_effort", "n", "functions", "function_call", "seed", "frequency_penalty", "presence_penalty",
        "modalities", "web_search_options", "thinking_config", "safety_settings", "cached_content", "labels", "media_resolution",
    };

    private readonly JsonElement request;
    private readonly ChatCall call;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private GeminiRequest(JsonElement request, in ChatCall call, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.call = call;
        this.dropped = dropped;
        this.writer = writer;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        new GeminiRequest(document.RootElement, call, new DroppedFields(droppedNames, call.DropUnsupported, "Gemini"), writer).Write();
    }

    private void Write()
    {
        ChatRequest.RefuseSeveralChoices(request, "Gemini");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);
        if (request.Field("parallel_tool_calls"u8).ValueKind == JsonValueKind.False)
        {
            dropped.Add("parallel_tool_calls");
        }

        writer.WriteStartObject();
        GeminiContents.Write(request.Field("messages"u8), call.KnownModel, writer, dropped);
        WriteTools();
        WriteGeneration();
        writer.WriteFieldAs(request, "safety_settings", "safetySettings");
        writer.WriteFieldAs(request, "cached_content", "cachedContent");
        writer.WriteFieldAs(request, "labels", "labels");
        writer.WriteEndObject();
    }

    private void WriteGeneration()
    {
        writer.WriteStartObject("generationConfig"u8);
        writer.WriteFieldAs(request, "temperature", "temperature");
        writer.WriteFieldAs(request, "top_p", "topP");
        writer.WriteFieldAs(request, "top_k", "topK");
        writer.WriteFieldAs(request, "seed", "seed");
        writer.WriteFieldAs(request, "frequency_penalty", "frequencyPenalty");
        writer.WriteFieldAs(request, "presence_penalty", "presencePenalty");
        writer.WriteFieldAs(request, "media_resolution", "mediaResolution");
        if (ChatRequest.MaxTokens(request) is { } maxTokens)
        {
            writer.WriteNumber("maxOutputTokens"u8, maxTokens);
        }

        ChatRequest.WriteStops(request, writer, "stopSequences"u8, dropped);
        WriteModalities();
        WriteResponseFormat();
        WriteThinking();
        writer.WriteEndObject();
    }

    private void WriteModalities()
    {
        var modalities = request.Field("modalities"u8).Items().Select(one => one.Text()).OfType<string>().ToList();
        if (modalities is [] or ["text"])
        {
            return;
        }

        if (modalities.Contains("audio"))
        {
            throw new UntranslatableRequestException("The gateway does not translate Gemini's spoken answers: ask for text or image.", "modalities");
        }

        writer.WriteStartArray("responseModalities"u8);
        foreach (var modality in modalities)
        {
            writer.WriteStringValue(modality.ToUpperInvariant());
        }

        writer.WriteEndArray();
    }

    private bool WantsJson => request.Field("response_format"u8).Field("type"u8).Text() is "json_object" or "json_schema";

    private bool Searches => request.Field("web_search_options"u8).ValueKind == JsonValueKind.Object;

    private bool HasTools => request.Field("tools"u8).Items().Any() || Searches;

    private bool TakesJsonBesideTools => GeminiModel.TakesJsonBesideTools(call.KnownModel);

    /// <summary>Tools that may not be called are not offered where they would cost the JSON.</summary>
    private bool LeavesToolsOut => WantsJson && !TakesJsonBesideTools && ChatRequest.ToolChoiceOf(request).Mode == "none";

    private void WriteResponseFormat()
    {
        var format = request.Field("response_format"u8);
        if (!WantsJson)
        {
            return;
        }

        if (HasTools && (ChatRequest.ToolChoiceOf(request).Forces || (!TakesJsonBesideTools && !LeavesToolsOut)))
        {
            // Google refuses both together. Of a forced call no text is expected anyway.
            dropped.Add("response_format");
            return;
        }

        writer.WriteString("responseMimeType"u8, "application/json"u8);
        if (format.Field("json_schema"u8).Field("schema"u8) is { ValueKind: JsonValueKind.Object } schema)
        {
            // Takes a JSON schema as it is; the older responseSchema knows only a part of it.
            writer.WriteCopy("responseJsonSchema"u8, schema);
        }
    }

    private void WriteThinking()
    {
        var own = request.Field("thinking_config"u8);
        var effort = request.Field("reasoning_effort"u8).Text();
        if (own.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("thinkingConfig"u8, own);
            return;
        }

        var thinking = GeminiModel.ThinkingOf(call.KnownModel);
        if (effort is null)
        {
            return;
        }

        if (thinking == GeminiThinking.None)
        {
            if (effort != "none")
            {
                dropped.Add("reasoning_effort");
            }

            return;
        }

        writer.WriteStartObject("thinkingConfig"u8);
        if (thinking == GeminiThinking.Level)
        {
            writer.WriteString("thinkingLevel"u8, GeminiModel.LevelOf(call.KnownModel, effort));
        }
        else
        {
            writer.WriteNumber(
                "thinkingBudget"u8,
                effort switch
                {
                    "none" => GeminiModel.LeastBudget(call.KnownModel),
                    "minimal" => 512,
                    "low" => 1024,
                    "medium" => 8192,
                    _ => 24576,
                });
        }

        if (effort != "none")
        {
            writer.WriteBoolean("includeThoughts"u8, true);
        }

        writer.WriteEndObject();
    }

    private void WriteTools()
    {
        if (!HasTools)
        {
            return;
        }

        if (LeavesToolsOut)
        {
            NameToolsLeftOut();
            return;
        }

        var functions = request.Field("tools"u8).Items().Where(tool => tool.Field("function"u8).ValueKind != JsonValueKind.Undefined).ToList();
        var others = request.Field("tools"u8).Items().Where(tool => tool.Field("function"u8).ValueKind == JsonValueKind.Undefined).ToList();
        writer.WriteStartArray("tools"u8);
        if (functions.Count > 0)
        {
            writer.WriteStartObject();
            writer.WriteStartArray("functionDeclarations"u8);
            foreach (var tool in functions)
            {
                WriteFunction(tool.Field("function"u8));
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        foreach (var other in others)
        {
            if (other.Field("type"u8).Given())
            {
                throw new UntranslatableRequestException($"Gemini takes no tool of type '{other.Field("type"u8).Text()}'.", "tools");
            }

            // One of Google's own, such as {"googleSearch": {}}.
            writer.WriteCopy(other);
        }

        if (Searches)
        {
            writer.WriteRawValue("""{"googleSearch":{}}"""u8, skipInputValidation: true);
        }

        writer.WriteEndArray();
        if (functions.Count > 0)
        {
            WriteToolChoice();
        }
    }

    private void NameToolsLeftOut()
    {
        if (request.Field("tools"u8).Items().Any())
        {
            dropped.AddAdvice("tools");
        }

        if (Searches)
        {
            // It is no tool to OpenAI's clients, and a choice of none does not mean it.
            dropped.Add("web_search_options");
        }
    }

    private void WriteFunction(JsonElement function)
    {
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Each tool of type function needs a function with a name.", "tools");
        }

        dropped.AddStrictOf(function);
        writer.WriteStartObject();
        writer.WriteCopy("name"u8, function.Field("name"u8));
        if (function.Field("description"u8).ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("description"u8, function.Field("description"u8));
        }

        if (function.Field("parameters"u8) is { ValueKind: JsonValueKind.Object } parameters && parameters.Fields().Any())
        {
            writer.WriteCopy("parametersJsonSchema"u8, parameters);
        }

        writer.WriteEndObject();
    }

    private void WriteToolChoice()
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var allowed = ChatRequest.AllowedTools(request, choice);
        var mode = choice.Mode switch
        {
            "none" => "NONE",
            "required" or "any" or "named" => "ANY",
            _ when allowed is not null => "VALIDATED",
            "auto" => "AUTO",
            _ => null,
        };
        if (mode is null)
        {
            return;
        }

        writer.WriteStartObject("toolConfig"u8);
        writer.WriteStartObject("functionCallingConfig"u8);
        writer.WriteString("mode"u8, mode);
        if (allowed is not null)
        {
            writer.WriteStartArray("allowedFunctionNames"u8);
            foreach (var name in allowed)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
