using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>Says <c>generationConfig</c> in OpenAI's words: how tokens are chosen, how many, in what form, and how much is thought before.</summary>
internal sealed class GeminiGeneration(JsonElement config, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    private const string Within = "generationConfig.";

    private static readonly Dictionary<string, string> NamesInChat = new(StringComparer.Ordinal)
    {
        ["temperature"] = "temperature", ["topP"] = "top_p", ["seed"] = "seed", ["stopSequences"] = "stop", ["presencePenalty"] = "presence_penalty",
        ["frequencyPenalty"] = "frequency_penalty", ["responseLogprobs"] = "logprobs", ["logprobs"] = "top_logprobs",
    };

    private static readonly HashSet<string> Known = GeminiFields.Both(
    [
        .. NamesInChat.Keys, "topK", "maxOutputTokens", "candidateCount", "responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema", "responseModalities", "thinkingConfig",
        "mediaResolution",
    ]);

    /// <summary>Writes the members.</summary>
    public void Write()
    {
        dropped.AddUnknown(config, Known, Within);
        foreach (var field in config.Fields().Where(static field => field.Value.Given()))
        {
            WriteField(field);
        }

        WriteFormat();
    }

    private void WriteField(JsonProperty field)
    {
        switch (GeminiFields.Camel(field.Name))
        {
            case var name when NamesInChat.TryGetValue(name, out var said):
                json.WritePropertyName(said);
                json.WriteCopy(field.Value);
                break;

            case "topK" when !target.PassesHub:
                json.WriteCopy("top_k"u8, field.Value);
                break;

            case "topK" or "mediaResolution":
                dropped.AddAdvice(Within + field.Name);
                break;

            case "maxOutputTokens" when field.Value.Count() is > 0 and var most:
                json.WriteNumber(target.WantsCompletionTokens ? "max_completion_tokens"u8 : "max_tokens"u8, most);
                break;

            case "candidateCount" when field.Value.Count() is > 1 and var choices:
                json.WriteNumber("n"u8, choices);
                break;

            case "responseModalities" when field.Value.Items().Any(static modality => !modality.Is("TEXT"u8)):
                dropped.Add(Within + field.Name);
                break;

            case "thinkingConfig":
                target.WriteEffort(json, EffortOf(field.Value), Within + field.Name, dropped);
                break;
        }
    }

    /// <summary>A level of thinking, or a number of tokens for it, as an effort: the other way round than towards Gemini. -1 leaves it to the model.</summary>
    private string? EffortOf(JsonElement thinking)
    {
        var effort = thinking.Named("thinkingLevel").Text()?.ToUpperInvariant() switch
        {
            "MINIMAL" => "minimal",
            "LOW" => "low",
            "MEDIUM" => "medium",
            "HIGH" or "XHIGH" => "high",
            _ => thinking.Named("thinkingBudget").Int() switch
            {
                null or < 0 => null,
                0 => "none",
                < 2048 => "low",
                <= 8192 => "medium",
                _ => "high",
            },
        };
        return target.PassesHub && effort == "minimal" ? "low" : effort;
    }

    private void WriteFormat()
    {
        var type = config.Named("responseMimeType").Text() ?? "text/plain";
        var own = config.Named("responseJsonSchema").Given() ? config.Named("responseJsonSchema") : config.Named("_responseJsonSchema");
        var schema = config.Named("responseSchema");
        if (type == "text/plain" && !own.Given() && !schema.Given())
        {
            return;
        }

        if (type is not ("application/json" or "text/plain"))
        {
            // An answer that is one word of several, without quotes: nobody else has it.
            dropped.Add(Within + "responseMimeType");
        }
        else if (own.ValueKind == JsonValueKind.Object)
        {
            SurfaceTarget.WriteJsonFormat(json, json => json.WriteCopy(own));
        }
        else
        {
            SurfaceTarget.WriteJsonFormat(json, schema.ValueKind == JsonValueKind.Object ? json => GeminiSchema.Write(json, schema) : null);
        }
    }
}
