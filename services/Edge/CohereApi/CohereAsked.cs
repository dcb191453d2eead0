using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.CohereApi;

/// <summary>
/// Says Cohere's request in OpenAI's words: documents and turns (<see cref="CohereTurns"/>), tools, format, thinking. Most is a change of names.
/// </summary>
internal sealed class CohereAsked(JsonElement request, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "tools", "strict_tools", "tool_choice", "documents", "citation_options", "response_format", "safety_mode", "max_tokens", "stop_sequences",
        "temperature", "seed", "frequency_penalty", "presence_penalty", "k", "p", "logprobs", "thinking", "priority", "user", "metadata", "disable_fallbacks",
    };

    private static readonly HashSet<string> SameInChat = ["stream", "temperature", "seed", "frequency_penalty", "presence_penalty"];

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public void Write()
    {
        dropped.AddUnknown(request, Known);
        foreach (var name in (ReadOnlySpan<string>)["safety_mode", "priority"])
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                dropped.AddAdvice(name);
            }
        }

        if (request.Field("logprobs"u8).ValueKind == JsonValueKind.True)
        {
            // Cohere names tokens by their numbers, which OpenAI does not tell.
            dropped.Add("logprobs");
        }

        json.WriteStartObject();
        json.WriteString("model"u8, request.Field("model"u8).Text() ?? target.Model);
        json.WriteFieldsOf(request, SameInChat);
        target.WriteLabels(json, request, dropped);
        json.WriteFieldAs(request, "max_tokens", target.WantsCompletionTokens ? "max_completion_tokens" : "max_tokens");
        json.WriteFieldAs(request, "stop_sequences", "stop");
        json.WriteFieldAs(request, "p", "top_p");
        WriteTopK();
        WriteThinking(request.Field("thinking"u8));
        WriteFormat(request.Field("response_format"u8));
        WriteCitations();
        new CohereTurns(target, dropped, json).Write(request);
        WriteTools();
        json.WriteEndObject();
    }

    private void WriteTopK()
    {
        // Cohere reads 0 as no bound.
        if (request.Field("k"u8).Int() is not (null or 0))
        {
            if (target.PassesHub)
            {
                dropped.AddAdvice("k");
            }
            else
            {
                json.WriteFieldAs(request, "k", "top_k");
            }
        }
    }

    private void WriteThinking(JsonElement thinking)
    {
        var effort = thinking.Field("type"u8).Text() switch
        {
            "disabled" => "none",
            "enabled" => thinking.Field("token_budget"u8).Int() switch
            {
                < 2048 => "low",
                null or < 8192 => "medium",
                _ => "high",
            },
            _ => null,
        };
        target.WriteEffort(json, effort, "thinking", dropped);
    }

    private void WriteFormat(JsonElement format)
    {
        if (!format.Field("type"u8).Is("json_object"u8))
        {
            return;
        }

        var schema = format.Field("json_schema"u8).Given() ? format.Field("json_schema"u8) : format.Field("schema"u8);
        SurfaceTarget.WriteJsonFormat(json, schema.ValueKind == JsonValueKind.Object ? json => json.WriteCopy(schema) : null);
    }

    /// <summary>No other model says by which document it says what: the documents are read, and not cited.</summary>
    private void WriteCitations()
    {
        var mode = request.Field("citation_options"u8).Field("mode"u8).Text()?.ToUpperInvariant();
        var cites = mode is not null || request.Field("documents"u8).Items().Any();
        if (cites && mode is not ("OFF" or "DISABLED"))
        {
            dropped.AddAdvice("citation_options");
        }
    }

    private void WriteTools()
    {
        if (!request.Field("tools"u8).Items().Any())
        {
            return;
        }

        var strict = request.Field("strict_tools"u8).ValueKind == JsonValueKind.True;
        json.WriteStartArray("tools"u8);
        foreach (var tool in request.Field("tools"u8).Items())
        {
            var function = tool.Field("function"u8);
            json.WriteStartObject();
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteFieldsOf(function, ["name", "description", "parameters"]);
            if (strict)
            {
                json.WriteBoolean("strict"u8, true);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        switch (request.Field("tool_choice"u8).Text())
        {
            case "REQUIRED":
                json.WriteString("tool_choice"u8, "required"u8);
                break;
            case "NONE":
                json.WriteString("tool_choice"u8, "none"u8);
                break;
        }
    }
}
