using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>
/// Says a request of OpenAI's Responses in the words of chat, for providers that do not have them: input (<see cref="ResponsesInput"/>), tools
/// (<see cref="ResponsesTools"/>), reasoning, structured output. What leans on state that only OpenAI keeps is refused.
/// </summary>
internal sealed class ResponsesRequest
{
    private static readonly string[] State = ["previous_response_id", "conversation", "prompt"];

    // Said, repeated in the answer, or without meaning where nothing is stored.
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls",
        "reasoning", "text", "metadata", "user", "safety_identifier", "background", "previous_response_id", "conversation", "prompt", "include", "truncation", "service_tier",
        "prompt_cache_key", "store",
    };

    private readonly JsonElement request;
    private readonly SurfaceTarget target;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter json;

    private ResponsesRequest(JsonElement request, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
    {
        this.request = request;
        this.target = target;
        this.dropped = dropped;
        this.json = json;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(JsonElement request, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json) =>
        new ResponsesRequest(request, target, dropped, json).Write();

    private void Write()
    {
        RefuseState();
        NameLosses();
        json.WriteStartObject();
        json.WriteFieldAs(request, "model", "model");
        json.WriteFieldAs(request, "max_output_tokens", target.WantsCompletionTokens ? "max_completion_tokens" : "max_tokens");
        json.WriteFieldAs(request, "temperature", "temperature");
        json.WriteFieldAs(request, "top_p", "top_p");
        json.WriteFieldAs(request, "stream", "stream");
        var identifier = request.Field("safety_identifier"u8);
        target.WriteUser(json, identifier.Given() ? identifier : request.Field("user"u8), identifier.Given() ? "safety_identifier" : "user", dropped);
        WriteReasoning();
        WriteFormat();
        if (target.PassesHub)
        {
            json.WriteFieldAs(request, "service_tier", "service_tier");
        }

        if (target.IsOpenAi)
        {
            json.WriteFieldAs(request, "prompt_cache_key", "prompt_cache_key");
        }

        var groups = ResponseTool.Groups(request);
        var names = new ResponseToolNames(groups);
        new ResponsesInput(target, names, dropped, json).Write(request);
        new ResponsesTools(groups, names, dropped, json).Write(request);
        json.WriteEndObject();
    }

    private void RefuseState()
    {
        foreach (var name in State)
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                throw new UntranslatableRequestException(
                    $"{name} leans on what OpenAI stores, and this model's provider stores nothing: send the whole conversation in input, or call a model whose provider has responses.", name);
            }
        }

        if (request.Field("background"u8).ValueKind == JsonValueKind.True)
        {
            throw new UntranslatableRequestException("background needs a provider that stores responses, and this model's stores none: leave it out.", "background");
        }
    }

    private void NameLosses()
    {
        foreach (var field in request.Fields())
        {
            var loses = field.Name switch
            {
                "store" => field.Value.ValueKind == JsonValueKind.True,
                "truncation" => field.Value.Given() && !field.Value.Is("disabled"u8),
                "service_tier" => !target.PassesHub && field.Value.Given() && !field.Value.Is("auto"u8) && !field.Value.Is("default"u8),
                "prompt_cache_key" => !target.IsOpenAi && field.Value.Given(),
                "include" => field.Value.Items().Any(static item => !item.Is("reasoning.encrypted_content"u8)),
                _ => field.Value.Given() && !Known.Contains(field.Name),
            };
            if (loses)
            {
                dropped.AddAdvice(field.Name);
            }
        }
    }

    private void WriteReasoning()
    {
        if (request.Field("reasoning"u8).Field("effort"u8).Text() is not { } effort)
        {
            return;
        }

        if (target.TakesEffort)
        {
            json.WriteString("reasoning_effort"u8, effort);
        }
        else
        {
            dropped.AddAdvice("reasoning.effort");
        }
    }

    private void WriteFormat()
    {
        var text = request.Field("text"u8);
        var format = text.Field("format"u8);
        switch (format.Field("type"u8).Text())
        {
            case "json_object":
                SurfaceTarget.WriteJsonFormat(json, null);
                break;

            case "json_schema":
                json.WriteStartObject("response_format"u8);
                json.WriteString("type"u8, "json_schema"u8);
                json.WriteStartObject("json_schema"u8);
                foreach (var field in format.Fields())
                {
                    if (!field.NameEquals("type"u8))
                    {
                        json.WriteCopy(field);
                    }
                }

                json.WriteEndObject();
                json.WriteEndObject();
                break;
        }

        if (text.Field("verbosity"u8).Text() is { } verbosity && verbosity != "medium")
        {
            if (target.IsOpenAi)
            {
                json.WriteString("verbosity"u8, verbosity);
            }
            else
            {
                dropped.AddAdvice("text.verbosity");
            }
        }
    }
}
