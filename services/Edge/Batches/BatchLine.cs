using System.Text.Json;

namespace Gateway.Edge.Batches;

/// <summary>One line of a batch's input: <c>{"custom_id": "…", "method": "POST", "url": "/v1/chat/completions", "body": {…}}</c>.</summary>
internal readonly struct BatchLine
{
    /// <summary>The longest <c>custom_id</c>.</summary>
    private const int CustomIdCharactersMax = 512;

    private BatchLine(string customId, BatchEndpoint endpoint, int bodyStart, int bodyEnd)
    {
        CustomId = customId;
        Endpoint = endpoint;
        BodyStart = bodyStart;
        BodyEnd = bodyEnd;
    }

    /// <summary>By which its owner finds its answer.</summary>
    public string CustomId { get; }

    /// <summary>What it asks for.</summary>
    public BatchEndpoint Endpoint { get; }

    /// <summary>Where the body begins in the line.</summary>
    public int BodyStart { get; }

    /// <summary>Where it ends (exclusive).</summary>
    public int BodyEnd { get; }

    /// <summary>Reads a line; the error says what is wrong with it and how to mend it.</summary>
    public static GatewayError? TryRead(ReadOnlySpan<byte> line, out BatchLine read)
    {
        read = default;
        try
        {
            return Read(line, ref read);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return Wrong("it is not a JSON object in UTF-8. Write each request as one object on a line of its own.");
        }
    }

    private static GatewayError? Read(ReadOnlySpan<byte> line, ref BatchLine read)
    {
        var json = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 128 });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return Wrong("it is not a JSON object. Write each request as one object on a line of its own.");
        }

        string? customId = null, method = null, url = null;
        (int Start, int End)? body = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            json.Read();
            var start = (int)json.TokenStartIndex;
            var text = json.TokenType == JsonTokenType.String ? json.GetString() : null;
            var isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();

            // Twice the same would be read by the provider as it likes, and not as it was counted.
            switch (name)
            {
                case "custom_id" when text is { Length: > 0 and <= CustomIdCharactersMax } && customId is null:
                    customId = text;
                    break;
                case "method" when text is not null && method is null:
                    method = text;
                    break;
                case "url" when text is not null && url is null:
                    url = text;
                    break;
                case "body" when isObject && body is null:
                    body = (start, (int)json.BytesConsumed);
                    break;
                default:
                    return Wrong($"its field '{(name.Length <= 60 ? name : name[..60] + "…")}' is unknown, there twice, or of the wrong kind. A line has custom_id (1 to {CustomIdCharactersMax} characters), method, url and body (an object).");
            }
        }

        // To the end: what stands behind the object is found.
        while (json.Read())
        {
        }

        if (customId is null || body is not { } place)
        {
            return Wrong($"{(customId is null ? "custom_id" : "body")} is missing. A line has custom_id, method, url and body.");
        }

        if (method != "POST")
        {
            return Wrong("method must be \"POST\".");
        }

        if (BatchEndpoint.Find(url) is not { } endpoint)
        {
            return Wrong($"url must be one of {BatchEndpoint.Paths}.");
        }

        read = new BatchLine(customId, endpoint, place.Start, place.End);
        return null;
    }

    private static GatewayError Wrong(string what) => new(400, "invalid_request", what, "file");
}
