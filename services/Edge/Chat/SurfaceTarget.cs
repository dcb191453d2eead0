using System.Text.Json;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.Bedrock;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Chat;

/// <summary>What the provider behind the hub understands beyond OpenAI's chat, and what of OpenAI's own words.</summary>
/// <param name="Provider">Who speaks for the model.</param>
/// <param name="Model">The model by the name that tells what it can do: its <c>base_model</c>, where the provider's name is one's own (Azure).</param>
internal readonly record struct SurfaceTarget(IChatProvider Provider, string Model)
{
    /// <summary>Whether the hub's bytes go out as they are: then only OpenAI's words may stand in them.</summary>
    public bool PassesHub => Provider.SpeaksOpenAiChat;

    /// <summary>Cache marks, thinking blocks with their signatures, errors of tools.</summary>
    public bool KnowsAnthropic => Provider is AnthropicProvider or BedrockProvider;

    public bool KnowsThinking => Provider is AnthropicProvider || IsClaudeOnBedrock || Provider.Protocol == "cohere";

    private bool IsClaudeOnBedrock => Provider is BedrockProvider && new BedrockModel(Model).IsClaude;

    /// <summary>Whether what the model thought may be sent back to it as a plain text.</summary>
    public bool TakesThoughts => Provider.Protocol is "cohere" or "ollama" or "mistral";

    /// <summary>OpenAI itself, as far as its name tells: servers that imitate it refuse words that are new.</summary>
    public bool IsOpenAi => PassesHub && Provider.Protocol is "openai" or "azure" && OpenAiModel.IsOpenAis(Model);

    /// <summary>Whether several texts in one message may stand as parts: of the servers that imitate OpenAI some take a list only with pictures, and some none.</summary>
    public bool TakesTextsApart => !PassesHub || IsOpenAi;

    public bool KnowsUsers => PassesHub || Provider is AnthropicProvider;

    public bool TakesEffort => PassesHub ? OpenAiModel.Reasons(Model) : Provider is not BedrockProvider || new BedrockModel(Model).TakesEffort;

    public bool WantsCompletionTokens => PassesHub && Provider.Protocol is "openai" or "azure" && OpenAiModel.Reasons(Model);

    /// <summary>Whether a tool's result may have pictures in it.</summary>
    public bool TakesPicturesOfTools => !PassesHub && Provider.Protocol != "cohere";

    /// <summary>Says of <c>user</c> and <c>metadata</c>, which the gateway reads itself on whatever surface, what goes on; what does not is named.</summary>
    public void WriteLabels(Utf8JsonWriter json, JsonElement request, DroppedFields dropped)
    {
        dropped.AddMetadataOf(request);
        WriteUser(json, request.Field("user"u8), "user", dropped);
    }

    /// <summary>Says who the caller's own user is, or names it.</summary>
    /// <param name="json">Takes the member <c>user</c>.</param>
    /// <param name="user">The caller's word; nothing is written unless it is a string.</param>
    /// <param name="name">The field's name as the caller knows it.</param>
    /// <param name="dropped">Takes it when it is not said as it is.</param>
    public void WriteUser(Utf8JsonWriter json, JsonElement user, string name, DroppedFields dropped)
    {
        if (user.ValueKind != JsonValueKind.String)
        {
            return;
        }

        if (KnowsUsers)
        {
            EndUser.Write(json, "user"u8, user, PassesHub ? EndUser.OpenAiLengthMax : EndUser.AnthropicLengthMax, name, dropped);
        }
        else
        {
            dropped.AddAdvice(name);
        }
    }

    /// <summary>Says how much is to be thought; where a model always thinks, or never, that is named.</summary>
    /// <param name="json">Takes <c>reasoning_effort</c>.</param>
    /// <param name="effort">OpenAI's word; null where nothing was asked for.</param>
    /// <param name="name">What the client calls it.</param>
    /// <param name="dropped">Takes the name.</param>
    public void WriteEffort(Utf8JsonWriter json, string? effort, string name, DroppedFields dropped)
    {
        if (effort is null)
        {
            return;
        }

        if (TakesEffort && !(PassesHub && effort == "none"))
        {
            json.WriteString("reasoning_effort"u8, effort);
        }
        else if (TakesEffort || effort != "none")
        {
            dropped.AddAdvice(name);
        }
    }

    /// <summary>Asks for an answer in JSON. The schema is not asked to be strict: most are written for providers that hold to them less.</summary>
    /// <param name="json">Takes <c>response_format</c>.</param>
    /// <param name="schema">Writes the schema; null for any JSON.</param>
    public static void WriteJsonFormat(Utf8JsonWriter json, Action<Utf8JsonWriter>? schema)
    {
        json.WriteStartObject("response_format"u8);
        json.WriteString("type"u8, schema is null ? "json_object"u8 : "json_schema"u8);
        if (schema is not null)
        {
            json.WriteStartObject("json_schema"u8);
            json.WriteString("name"u8, "answer"u8);
            json.WritePropertyName("schema"u8);
            schema(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Passes a block's cache mark on, or names it.</summary>
    public void WriteCache(Utf8JsonWriter json, JsonElement block, DroppedFields dropped)
    {
        if (block.Field("cache_control"u8) is not { ValueKind: JsonValueKind.Object } cache)
        {
            return;
        }

        if (KnowsAnthropic)
        {
            json.WriteCopy("cache_control"u8, cache);
        }
        else
        {
            dropped.AddAdvice("cache_control");
        }
    }
}
