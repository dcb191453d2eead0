using System.Text.Json;
using Gateway.Edge.Files;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Metering;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Pricing;

namespace Gateway.Edge.Flow;

/// <summary>What the edge needs to know of a chat request: read in one pass over its bytes, with the places of what may be changed.</summary>
internal struct RequestHead
{
    /// <summary>How deeply a body may be nested.</summary>
    public const int DepthMax = 128;

    private static readonly JsonDocumentOptions s_asDeep = new() { MaxDepth = DepthMax };

    /// <summary>Where the value of <c>model</c> stands, quotes included; null when the body has none, because the path names it.</summary>
    public Range? Model;

    /// <summary>The model's name.</summary>
    public string ModelName;

    public bool Stream;

    /// <summary>Where the value of <c>stream</c> stands; null when it is not stated.</summary>
    public Range? StreamValue;

    /// <summary>The larger of <c>max_tokens</c> and <c>max_completion_tokens</c> (Responses: <c>max_output_tokens</c>; Ollama: <c>options.num_predict</c>; Gemini: <c>generationConfig.maxOutputTokens</c>); null when none is stated.</summary>
    public long? MaxTokens;

    public int Choices;

    /// <summary>The end user that the caller named (<c>user</c>; Anthropic's <c>metadata.user_id</c>).</summary>
    public string? User;

    /// <summary>The tags that the caller gave it (LiteLLM's <c>metadata.tags</c>); null for none.</summary>
    public List<string>? Tags;

    /// <summary>Where the value of <c>stream_options</c> stands; null when it is not stated.</summary>
    public Range? StreamOptions;

    /// <summary>Where the value of <c>stream_options.include_usage</c> stands; null when it is not stated.</summary>
    public Range? IncludeUsageValue;

    /// <summary>Whether <c>stream_options</c> has any field.</summary>
    public bool StreamOptionsHasFields;

    /// <summary>Whether the caller asked for usage in the stream.</summary>
    public bool IncludeUsage;

    /// <summary>The service tier asked for (<c>service_tier</c>): the dearest that the provider may choose.</summary>
    public ServiceTier Tier;

    /// <summary>Whether the provider may choose the tier.</summary>
    public bool AnyTier;

    /// <summary>What is billed of an answer that does not say its tier: the ordinary one, unless a dearer one was asked for by name.</summary>
    public readonly CostUnits TierUntold => new(Tier == ServiceTier.Priority && !AnyTier ? ServiceTier.Priority : ServiceTier.Standard);

    /// <summary>Responses: the stored response that this one goes on from (<c>previous_response_id</c>).</summary>
    public string? PreviousResponse;

    /// <summary>Responses: the caller wants nothing stored (<c>store: false</c>).</summary>
    public bool StoresNothing;

    /// <summary>LiteLLM's <c>disable_fallbacks</c>.</summary>
    public bool DisableFallbacks;

    /// <summary>Fields for the gateway itself, which no provider must see: the places to cut out.</summary>
    public List<Range>? Cuts;

    /// <summary>The files of the gateway's that it names, once they were looked up; null for none.</summary>
    public HeadFiles? Files;

    /// <summary>Where the first property's name stands: a property may be put before it. Null for an empty object.</summary>
    public int? FirstProperty;

    /// <summary>The error of a request that names no model.</summary>
    public static readonly GatewayError MissingModel = new(400, "invalid_request", "The field model is missing: name the model to call; GET /v1/models lists yours.", "model");

    /// <summary>Reads a body. The error says what is wrong with it.</summary>
    /// <param name="body">The body.</param>
    /// <param name="head">What it says.</param>
    /// <param name="surface">Whose words these are; null for OpenAI's chat. A bound on the output counts only under the name that the provider obeys.</param>
    /// <param name="modelInPath">The model when the path names it: it wins over the body's.</param>
    /// <param name="needsModel">Whether a body without a model is wrong, when the path names none.</param>
    public static GatewayError? TryRead(ReadOnlySpan<byte> body, out RequestHead head, SurfaceProtocol? surface = null, string? modelInPath = null, bool needsModel = true)
    {
        head = new RequestHead { ModelName = "", Choices = 1, Stream = surface.StreamsUnasked() };
        try
        {
            var wrong = Read(body, ref head, surface, needsModel && modelInPath is null);
            head.ModelName = modelInPath ?? head.ModelName;
            return wrong;
        }
        catch (JsonException)
        {
            return GatewayError.InvalidJson;
        }
        catch (InvalidOperationException)
        {
            // Text that is no UTF-8.
            return GatewayError.InvalidJson;
        }
    }

    /// <summary>The whole of a body whose head was read: as deep as that may be.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body) => JsonDocument.Parse(body, s_asDeep);

    private static GatewayError? Read(ReadOnlySpan<byte> body, ref RequestHead head, SurfaceProtocol? surface, bool needsModel)
    {
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DepthMax });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return GatewayError.InvalidJson;
        }

        var (hasModel, hasGeneration) = (false, false);
        var previousEnd = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var nameStart = (int)json.TokenStartIndex;
            head.FirstProperty ??= nameStart;
            if (surface.IsOllamas() && OllamaFields.IsInCapitals(ref json))
            {
                return OllamaFields.InCapitals;
            }

            var field = RequestFields.Of(ref json, surface);
            json.Read();
            var valueStart = (int)json.TokenStartIndex;
            switch (field)
            {
                case RequestField.Model or RequestField.User when surface.IsGeminis():
                    // The path names the model, and Google knows no user: both are for the gateway alone.
                    head.User = field == RequestField.User && json.TokenType == JsonTokenType.String ? json.GetString() : head.User;
                    json.Skip();
                    Cut(body, ref head, nameStart, (int)json.BytesConsumed, previousEnd);
                    continue;

                case RequestField.Generation:
                    if (hasGeneration)
                    {
                        return GeminiFields.SaidTwice("generationConfig");
                    }

                    hasGeneration = true;
                    if (GeminiFields.ReadGeneration(ref json, ref head) is { } wrong)
                    {
                        return wrong;
                    }

                    break;

                case RequestField.Model:
                    if (json.TokenType != JsonTokenType.String)
                    {
                        return Wrong("model", "a string");
                    }

                    head.ModelName = json.GetString()!;
                    head.Model = valueStart..(int)json.BytesConsumed;
                    hasModel = true;
                    break;

                case RequestField.Stream:
                    if (json.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
                    {
                        return Wrong("stream", "true or false");
                    }

                    head.Stream = json.TokenType == JsonTokenType.True || (json.TokenType == JsonTokenType.Null && surface.StreamsUnasked());
                    head.StreamValue = valueStart..(int)json.BytesConsumed;
                    break;

                case RequestField.MaxTokens:
                    if (json.TokenType != JsonTokenType.Null)
                    {
                        if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var most) || most < 0)
                        {
                            return Wrong(surface == SurfaceProtocol.Responses ? "max_output_tokens" : "max_tokens", "a whole number, 0 or more");
                        }

                        head.MaxTokens = Math.Max(head.MaxTokens ?? 0, most);
                    }

                    break;

                case RequestField.Options:
                    head.MaxTokens = OllamaFields.ReadMost(ref json);
                    break;

                case RequestField.Choices:
                    if (json.TokenType != JsonTokenType.Null)
                    {
                        if (json.TokenType != JsonTokenType.Number || !json.TryGetInt32(out head.Choices) || head.Choices is < 1 or > 128)
                        {
                            return Wrong("n", "a whole number from 1 to 128");
                        }
                    }

                    break;

                case RequestField.User:
                    head.User = json.TokenType == JsonTokenType.String ? json.GetString() : null;
                    break;

                case RequestField.StreamOptions:
                    if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
                    {
                        return Wrong("stream_options", "an object");
                    }

                    ReadStreamOptions(ref json, ref head);
                    head.StreamOptions = valueStart..(int)json.BytesConsumed;
                    break;

                case RequestField.ServiceTier:
                    (head.Tier, head.AnyTier) = ServiceTiers.Asked(ref json);
                    json.Skip();
                    break;

                case RequestField.DisableFallbacks:
                    if (json.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
                    {
                        return Wrong("disable_fallbacks", "true or false");
                    }

                    head.DisableFallbacks = json.TokenType == JsonTokenType.True;
                    Cut(body, ref head, nameStart, (int)json.BytesConsumed, previousEnd);
                    continue;

                case RequestField.Metadata:
                    if (!ReadMetadata(body, ref json, ref head, namesUser: surface == SurfaceProtocol.Messages, out var onlyTags))
                    {
                        return Wrong("metadata.tags", "a list of texts");
                    }

                    if (onlyTags)
                    {
                        Cut(body, ref head, nameStart, (int)json.BytesConsumed, previousEnd);
                        continue;
                    }

                    break;

                case RequestField.PreviousResponse:
                    head.PreviousResponse = json.TokenType == JsonTokenType.String ? json.GetString() : null;
                    json.Skip();
                    break;

                case RequestField.Store:
                    head.StoresNothing = json.TokenType == JsonTokenType.False;
                    json.Skip();
                    break;

                case RequestField.Background when json.TokenType == JsonTokenType.True:
                    return new GatewayError(
                        400, "invalid_request", "background is not served: what such a response uses comes to light too late to be held to a budget. Leave it out.", "background");

                case RequestField.Conversation when json.TokenType != JsonTokenType.Null:
                    return new GatewayError(
                        400, "invalid_request", "conversation is not served: the gateway cannot tell whose it is. Send the items in input, or previous_response_id.", "conversation");

                case RequestField.Danger:
                    return new GatewayError(
                        400, "invalid_request",
                        "A caller cannot choose the provider's address, credential or headers: leave api_base, base_url, api_key, headers, extra_headers and what begins with aws_, vertex_ or azure_ out.", "api_base");

                default:
                    json.Skip();
                    break;
            }

            previousEnd = (int)json.BytesConsumed;
        }

        // Reading to the end finds what is broken behind the fields that matter here.
        while (json.Read())
        {
        }

        return needsModel ? hasModel && head.ModelName.Length > 0 ? null : MissingModel
            : head.FirstProperty is null ? new GatewayError(400, "invalid_request", "The request's body is an object without a field.")
            : null;
    }

    private static void ReadStreamOptions(ref Utf8JsonReader json, ref RequestHead head)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            head.StreamOptionsHasFields = true;
            var asks = json.ValueTextEquals("include_usage"u8);
            json.Read();
            var start = (int)json.TokenStartIndex;
            var yes = json.TokenType == JsonTokenType.True;
            json.Skip();
            if (asks)
            {
                head.IncludeUsage = yes;
                head.IncludeUsageValue = start..(int)json.BytesConsumed;
            }
        }
    }

    /// <summary>
    /// Takes the list of tags out of <c>metadata</c>: it is for the gateway, and OpenAI's own metadata has only texts. What else stands there
    /// goes on. False for tags that are none.
    /// </summary>
    private static bool ReadMetadata(ReadOnlySpan<byte> body, ref Utf8JsonReader json, ref RequestHead head, bool namesUser, out bool onlyTags)
    {
        onlyTags = false;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return true;
        }

        var others = false;
        var previousEnd = 0;
        List<(int Start, int End, int PreviousEnd)>? places = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)json.TokenStartIndex;
            var isTags = json.ValueTextEquals("tags"u8);
            var isUser = namesUser && json.ValueTextEquals("user_id"u8);
            json.Read();
            if (isTags && json.TokenType == JsonTokenType.StartArray)
            {
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    if (json.TokenType != JsonTokenType.String)
                    {
                        return false;
                    }

                    (head.Tags ??= []).Add(json.GetString()!);
                }

                (places ??= []).Add((start, (int)json.BytesConsumed, previousEnd));
                continue;
            }

            head.User = isUser && json.TokenType == JsonTokenType.String ? json.GetString() : head.User;
            json.Skip();
            others = true;
            previousEnd = (int)json.BytesConsumed;
        }

        onlyTags = places is not null && !others;
        if (others)
        {
            foreach (var (start, end, before) in places ?? [])
            {
                Cut(body, ref head, start, end, before);
            }
        }

        return true;
    }

    // With the comma behind it, or, for the last property, with the one before it: from the end of the last property that stays.
    private static void Cut(ReadOnlySpan<byte> body, ref RequestHead head, int nameStart, int valueEnd, int previousEnd)
    {
        var rest = body[valueEnd..];
        var next = rest.IndexOfAnyExcept(" \t\r\n"u8);
        var range = next >= 0 && rest[next] == (byte)','
            ? nameStart..(valueEnd + next + 1)
            : (previousEnd == 0 ? nameStart : previousEnd)..valueEnd;
        var cuts = head.Cuts ??= [];
        if (cuts.Count > 0 && cuts[^1].End.Value >= range.Start.Value)
        {
            // The last properties are cut one after the other: what was cut before them is part of it.
            range = Math.Min(cuts[^1].Start.Value, range.Start.Value)..range.End;
            cuts.RemoveAt(cuts.Count - 1);
        }

        cuts.Add(range);
    }

    private static GatewayError Wrong(string field, string expected) =>
        new(400, "invalid_request", $"The field {field} must be {expected}.", field);
}
