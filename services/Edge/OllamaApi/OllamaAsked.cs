using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.OllamaApi;

/// <summary>
/// Says Ollama's request in OpenAI's words: turns (<see cref="OllamaTurns"/>), tools, format, thinking, options. What tells a server how to run
/// its model says nothing to others: it is left out and named.
/// </summary>
internal sealed class OllamaAsked(JsonElement request, bool generates, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    private static readonly HashSet<string> KnownInBoth = new(StringComparer.Ordinal)
    {
        "model", "format", "options", "stream", "think", "logprobs", "top_logprobs", "keep_alive", "truncate", "shift", "user", "metadata", "disable_fallbacks",
    };

    private static readonly HashSet<string> KnownInChat = [.. KnownInBoth, "messages", "tools"];

    private static readonly HashSet<string> KnownInGenerate = [.. KnownInBoth, "prompt", "system", "images", "context"];

    private static readonly HashSet<string> SameInChat = ["logprobs", "top_logprobs"];

    /// <summary>What runs the server and not the answer.</summary>
    private static readonly string[] OfTheServer = ["keep_alive", "truncate", "shift"];

    private static readonly HashSet<string> SameOptions = ["temperature", "top_p", "seed", "stop", "frequency_penalty", "presence_penalty"];

    /// <summary>How the model is loaded: of no meaning where the server is not the caller's.</summary>
    private static readonly HashSet<string> OptionsOfTheServer =
    [
        "numa", "num_ctx", "num_batch", "num_gpu", "main_gpu", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mmap", "use_mlock", "embedding_only", "num_thread", "num_keep",
    ];

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public void Write()
    {
        dropped.AddUnknown(request, generates ? KnownInGenerate : KnownInChat);
        foreach (var name in OfTheServer)
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                dropped.AddAdvice(name);
            }
        }

        json.WriteStartObject();
        json.WriteString("model"u8, request.Field("model"u8).Text() ?? target.Model);
        json.WriteBoolean("stream"u8, request.Field("stream"u8).ValueKind != JsonValueKind.False);
        json.WriteFieldsOf(request, SameInChat);
        target.WriteLabels(json, request, dropped);
        WriteOptions(request.Field("options"u8));
        WriteThink(request.Field("think"u8));
        WriteFormat(request.Field("format"u8));
        var turns = new OllamaTurns(target, dropped, json);
        if (generates)
        {
            RefuseContext();
            turns.WritePrompt(request);
        }
        else
        {
            turns.WriteMessages(request.Field("messages"u8));
            if (request.Field("tools"u8).Items().Any())
            {
                json.WriteCopy("tools"u8, request.Field("tools"u8));
            }
        }

        json.WriteEndObject();
    }

    private void RefuseContext()
    {
        if (request.Field("context"u8).Items().Any())
        {
            throw new UntranslatableRequestException("A context is what one server of Ollama's remembers, and this model has none: send the conversation to /api/chat.", "context");
        }
    }

    private void WriteOptions(JsonElement options)
    {
        json.WriteFieldsOf(options, SameOptions);
        foreach (var option in options.Fields().Where(static option => option.Value.Given() && !SameOptions.Contains(option.Name)))
        {
            switch (option.Name)
            {
                case "num_predict":
                    if (option.Value.Int() is > 0 and var most)
                    {
                        json.WriteNumber(target.WantsCompletionTokens ? "max_completion_tokens"u8 : "max_tokens"u8, most);
                    }

                    break;

                case "top_k" when !target.PassesHub:
                    json.WriteCopy("top_k"u8, option.Value);
                    break;

                case var name when name == "top_k" || OptionsOfTheServer.Contains(name):
                    dropped.AddAdvice("options." + name);
                    break;

                case var name:
                    dropped.Add("options." + name);
                    break;
            }
        }
    }

    private void WriteThink(JsonElement think)
    {
        var effort = think.ValueKind switch
        {
            JsonValueKind.True => "medium",
            JsonValueKind.False => "none",
            _ => think.Text(),
        };
        target.WriteEffort(json, effort is "" ? null : effort == "max" ? "high" : effort, "think", dropped);
    }

    private void WriteFormat(JsonElement format)
    {
        if (format.Is("json"u8))
        {
            SurfaceTarget.WriteJsonFormat(json, null);
        }
        else if (format.ValueKind == JsonValueKind.Object)
        {
            SurfaceTarget.WriteJsonFormat(json, json => json.WriteCopy(format));
        }
        else if (format.Given() && !format.Is(""u8))
        {
            throw new UntranslatableRequestException("The field format must be \"json\" or a JSON schema.", "format");
        }
    }
}
