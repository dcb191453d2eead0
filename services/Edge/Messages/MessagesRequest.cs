using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Messages;

/// <summary>
/// Says Anthropic's request in OpenAI's words: system, turns (<see cref="MessagesTurns"/>), tools, thinking, structured output. Cache marks and
/// thinking with its signature go on to the providers that know them; elsewhere they are left out and named.
/// </summary>
internal sealed class MessagesRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "system", "max_tokens", "temperature", "top_p", "top_k", "stream", "stop_sequences", "tools", "tool_choice", "metadata",
        "thinking", "output_config", "output_format",
    };

    private static readonly HashSet<string> KnownOfTools = new(StringComparer.Ordinal) { "type", "name", "description", "input_schema", "strict", "cache_control" };

    private readonly JsonElement request;
    private readonly SurfaceTarget target;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter json;

    private MessagesRequest(JsonElement request, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
    {
        this.request = request;
        this.target = target;
        this.dropped = dropped;
        this.json = json;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(JsonElement request, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json) =>
        new MessagesRequest(request, target, dropped, json).Write();

    private void Write()
    {
        if (request.Field("messages"u8).ValueKind != JsonValueKind.Array)
        {
            throw new UntranslatableRequestException("The field messages must be a list of messages.", "messages");
        }

        NameLosses();
        json.WriteStartObject();
        json.WriteFieldAs(request, "model", "model");
        json.WriteFieldAs(request, "max_tokens", target.WantsCompletionTokens ? "max_completion_tokens" : "max_tokens");
        json.WriteFieldAs(request, "temperature", "temperature");
        json.WriteFieldAs(request, "top_p", "top_p");
        json.WriteFieldAs(request, "stream", "stream");
        json.WriteFieldAs(request, "stop_sequences", "stop");
        WriteTopK();
        target.WriteUser(json, request.Field("metadata"u8).Field("user_id"u8), "metadata.user_id", dropped);
        WriteThinkingAndFormat();
        new MessagesTurns(target, dropped, json).Write(request);
        WriteTools();
        json.WriteEndObject();
    }

    private void NameLosses()
    {
        foreach (var field in request.Fields().Where(static field => !Known.Contains(field.Name)))
        {
            dropped.AddGiven(field, isAdvice: true);
        }

        foreach (var field in request.Field("output_config"u8).Fields().Where(static field => field.Name is not ("effort" or "format")))
        {
            dropped.AddGiven(field, isAdvice: true, "output_config.");
        }
    }

    private void WriteTopK()
    {
        if (!request.Field("top_k"u8).Given())
        {
            return;
        }

        if (target.PassesHub)
        {
            dropped.AddAdvice("top_k");
        }
        else
        {
            json.WriteFieldAs(request, "top_k", "top_k");
        }
    }

    private void WriteThinkingAndFormat()
    {
        var thinking = request.Field("thinking"u8);
        var config = request.Field("output_config"u8);
        var effort = config.Field("effort"u8).Text() ?? EffortOf(thinking);
        if (target.KnowsThinking)
        {
            json.WriteFieldAs(request, "thinking", "thinking");
            effort = config.Field("effort"u8).Text();
        }

        if (effort is not null)
        {
            if (target.TakesEffort)
            {
                json.WriteString("reasoning_effort"u8, target.PassesHub && effort == "max" ? "high" : effort);
            }
            else
            {
                dropped.AddAdvice("thinking");
            }
        }

        var format = config.Field("format"u8).Given() ? config.Field("format"u8) : request.Field("output_format"u8);
        if (format.Field("schema"u8) is { ValueKind: JsonValueKind.Object } schema)
        {
            json.WriteStartObject("response_format"u8);
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteStartObject("json_schema"u8);
            json.WriteString("name"u8, "answer"u8);
            json.WriteCopy("schema"u8, schema);
            json.WriteBoolean("strict"u8, true);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    /// <summary>The tools of a request.</summary>
    public static IEnumerable<JsonElement> Tools(JsonElement request) => request.Field("tools"u8).Items();

    /// <summary>Tokens for thinking as an effort: the other way round than towards Anthropic.</summary>
    private static string? EffortOf(JsonElement thinking) => thinking.Field("type"u8).Text() switch
    {
        "enabled" => thinking.Field("budget_tokens"u8).Int() switch
        {
            null or < 2048 => "low",
            < 8192 => "medium",
            _ => "high",
        },
        "adaptive" => "medium",
        _ => null,
    };

    private void WriteTools()
    {
        if (!Tools(request).Any())
        {
            return;
        }

        json.WriteStartArray("tools"u8);
        foreach (var tool in Tools(request))
        {
            if (tool.Field("type"u8).Text() is { } type && type != "custom")
            {
                throw new UntranslatableRequestException(
                    $"The tool {type} is one that Anthropic runs or defines, and this model is not Anthropic's: leave it out, or call a model of Anthropic's.", "tools");
            }

            foreach (var other in tool.Fields().Where(static field => !KnownOfTools.Contains(field.Name)))
            {
                dropped.AddGiven(other, isAdvice: true, "tools.");
            }

            json.WriteStartObject();
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, ToolNames.Fit(tool.Field("name"u8).Text()));
            if (tool.Field("description"u8) is { ValueKind: JsonValueKind.String } description)
            {
                json.WriteCopy("description"u8, description);
            }

            json.WritePropertyName("parameters"u8);
            json.WriteRawValue(tool.Field("input_schema"u8) is { ValueKind: JsonValueKind.Object } schema ? schema.Raw() : """{"type":"object","properties":{}}"""u8, skipInputValidation: true);
            if (tool.Field("strict"u8).ValueKind == JsonValueKind.True)
            {
                json.WriteBoolean("strict"u8, true);
            }

            json.WriteEndObject();
            target.WriteCache(json, tool, dropped);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteToolChoice(request.Field("tool_choice"u8));
    }

    private void WriteToolChoice(JsonElement choice)
    {
        switch (choice.Field("type"u8).Text())
        {
            case "any":
                json.WriteString("tool_choice"u8, "required"u8);
                break;

            case "none":
                json.WriteString("tool_choice"u8, "none"u8);
                break;

            case "tool":
                json.WriteStartObject("tool_choice"u8);
                json.WriteString("type"u8, "function"u8);
                json.WriteStartObject("function"u8);
                json.WriteString("name"u8, ToolNames.Fit(choice.Field("name"u8).Text()));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
        }

        if (choice.Field("disable_parallel_tool_use"u8).ValueKind == JsonValueKind.True)
        {
            json.WriteBoolean("parallel_tool_calls"u8, false);
        }
    }
}
