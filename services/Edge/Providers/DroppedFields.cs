using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>
/// What a protocol cannot say. With <c>drop_params</c> it is left out and named, so that the caller can see it; without, the request is
/// refused: nothing is dropped silently.
/// </summary>
/// <param name="names">Takes the names.</param>
/// <param name="allowed">Whether leaving out is allowed.</param>
/// <param name="provider">Who cannot say it, for the message.</param>
internal sealed class DroppedFields(List<string> names, bool allowed, string provider)
{
    /// <summary>How many names are kept: as many as the header shows. A caller may make up more.</summary>
    public const int NamesMax = 64;

    private static readonly string[] KnownOfMessages =
        ["role", "content", "tool_calls", "tool_call_id", "name", "refusal", "reasoning_content", "reasoning", "provider_specific_fields"];

    private static readonly string[] AnthropicsOfMessages = ["cache_control", "is_error", "thinking_blocks"];

    /// <summary>Leaves a field out.</summary>
    /// <exception cref="UntranslatableRequestException">Leaving out is not allowed.</exception>
    public void Add(string name)
    {
        if (!allowed)
        {
            throw new UntranslatableRequestException(
                $"{provider} does not support '{name}' as it is used here. Leave it out, or set drop_params: true to have the gateway leave it out.", name);
        }

        AddAdvice(name);
    }

    /// <summary>
    /// Leaves out what only advises (a cache mark, thinking that another provider cannot use, a tool's <c>strict</c>): named, and never a reason to
    /// refuse. A client that sends it with every request would otherwise reach no other provider.
    /// </summary>
    public void AddAdvice(string name)
    {
        if (names.Count < NamesMax && !names.Contains(name))
        {
            names.Add(name);
        }
    }

    /// <summary>Leaves out what stands in <c>metadata</c> beside the tags, which are the gateway's own and read already.</summary>
    public void AddMetadataOf(JsonElement request)
    {
        if (request.Field("metadata"u8).Fields().Any(static field => !field.NameEquals("tags"u8)))
        {
            AddAdvice("metadata");
        }
    }

    /// <summary>Leaves out what a message has that only its own provider understands: what it cites, an answer in sound, pictures that a model made.</summary>
    /// <param name="message">In OpenAI's words.</param>
    /// <param name="knowsAnthropics">Whether Anthropic's words are said: cache marks, thinking with its signature, errors of tools.</param>
    public void AddUnknownOf(JsonElement message, bool knowsAnthropics)
    {
        foreach (var field in message.Fields())
        {
            if (!field.IsOneOf(KnownOfMessages) && !(knowsAnthropics && field.IsOneOf(AnthropicsOfMessages)))
            {
                AddGiven(field, isAdvice: true, field.NameEquals("cache_control"u8) ? "" : "messages.");
            }
        }
    }

    /// <summary>Leaves out how closely a picture is to be looked at, when that was asked for.</summary>
    public void AddDetailOf(JsonElement image)
    {
        if (image.Field("detail"u8) is { ValueKind: JsonValueKind.String } detail && !detail.Is("auto"u8))
        {
            AddAdvice("messages.content.image_url.detail");
        }
    }

    /// <summary>Leaves out that a tool's arguments must hold to their schema, when that was asked for.</summary>
    public void AddStrictOf(JsonElement function)
    {
        if (function.Field("strict"u8).ValueKind == JsonValueKind.True)
        {
            AddAdvice("tools.function.strict");
        }
    }

    /// <summary>Leaves a field out; one whose value is the default anyway is no loss.</summary>
    /// <param name="field">The field.</param>
    /// <param name="isAdvice">Whether it only advises: <see cref="AddAdvice"/>.</param>
    /// <param name="within">Where it stands, with a dot at the end.</param>
    public void AddGiven(JsonProperty field, bool isAdvice, string within = "")
    {
        if (IsDefault(field))
        {
            return;
        }

        if (isAdvice)
        {
            AddAdvice(within + field.Name);
        }
        else
        {
            Add(within + field.Name);
        }
    }

    /// <summary>Leaves out each field that is given and not in <paramref name="known"/>; a value that is the default anyway is no loss.</summary>
    /// <param name="request">The object that is looked at.</param>
    /// <param name="known">The names that are served.</param>
    /// <param name="within">What stands before each name: the object's own, with a dot. Empty for the request itself.</param>
    public void AddUnknown(JsonElement request, HashSet<string> known, string within = "")
    {
        foreach (var field in request.Fields())
        {
            if (!known.Contains(field.Name))
            {
                AddGiven(field, isAdvice: false, within);
            }
        }
    }

    private static bool IsDefault(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.False or JsonValueKind.True => field.NameEquals("parallel_tool_calls"u8) == (field.Value.ValueKind == JsonValueKind.True),
        JsonValueKind.Number => field.Value.TryGetDouble(out var number) && number == (field.NameEquals("n"u8) ? 1 : 0) && !field.NameEquals("seed"u8),
        JsonValueKind.Array => field.Value.GetArrayLength() == 0 || (field.NameEquals("modalities"u8) && field.Value.GetArrayLength() == 1 && field.Value[0].Is("text"u8)),
        JsonValueKind.Object => !field.Value.EnumerateObject().Any(),
        JsonValueKind.String => field.Value.ValueEquals(""u8) || (field.NameEquals("verbosity"u8) && field.Value.Is("medium"u8))
            || (field.NameEquals("service_tier"u8) && (field.Value.Is("auto"u8) || field.Value.Is("default"u8))),
        _ => false,
    };
}
