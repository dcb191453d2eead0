using System.Text.Json;
using Gateway.Edge.Embeddings;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.GeminiApi;

/// <summary>Gemini's <c>:embedContent</c>, and <c>:batchEmbedContents</c>, which has several such requests in one. Format: https://ai.google.dev/api/embeddings.</summary>
internal sealed class GeminiEmbedOperation(WholeReply whole, bool isBatch) : EmbedSurface(whole, isBatch ? SurfaceProtocol.GeminiBatchEmbed : SurfaceProtocol.GeminiEmbed)
{
    private static readonly HashSet<string> Known =
        GeminiFields.Both("model", "content", "requests", "taskType", "title", "outputDimensionality", "user", "metadata", "disableFallbacks");

    private static readonly GeminiSurface Errors = new(streams: false);

    public override Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context, Errors);

    protected override GatewayError? ReadHead(RequestExchange exchange)
    {
        if (base.ReadHead(exchange) is { } wrong)
        {
            return wrong;
        }

        // Each is asked of the model that the address names: nothing else was granted.
        using var asked = RequestHead.Parse(exchange.Body.Memory);
        return Requests(asked.RootElement).Select(static one => one.Field("model"u8).Text()).FirstOrDefault(name => name is not null && GeminiNames.Bare(name) != exchange.Head.ModelName) is { } other
            ? new GatewayError(400, "invalid_request", $"A request names another model than the address: '{GeminiNames.Bare(other)}'. Leave model out, or name the same.", "requests.model")
            : null;
    }

    protected override List<Splice> Splices(RequestExchange exchange, Deployment target) => GeminiNames.Splices(exchange.Body.Span, exchange.Head, target.ProviderModel);

    protected override IEnumerable<JsonElement> Texts(JsonElement request)
    {
        var field = isBatch ? "requests" : "content";
        var texts = Requests(request).Select(static one => one.Field("content"u8)).Select(content =>
        {
            var parts = content.ValueKind == JsonValueKind.Object ? [.. GeminiParts.Of(content)] : Array.Empty<JsonElement>();
            return parts is [var only] && GeminiParts.IsText(only)
                ? only.Field("text"u8)
                : throw new UntranslatableRequestException("This model makes a vector of one text: each content must have one part, and that a text.", field);
        }).ToArray();
        return texts.Length > 0 ? texts : throw new UntranslatableRequestException("The field requests must be a list of requests with a content each.", field);
    }

    protected override void WriteRest(JsonElement request, IChatProvider provider, DroppedFields dropped, Utf8JsonWriter json)
    {
        dropped.AddUnknown(request, Known);
        dropped.AddMetadataOf(request);
        foreach (var one in isBatch ? Requests(request) : [])
        {
            dropped.AddUnknown(one, Known, "requests.");
        }

        if (Same(request, "outputDimensionality") is { } dimensions)
        {
            json.WriteCopy("dimensions"u8, dimensions);
        }

        foreach (var (name, said, knows) in (ReadOnlySpan<(string, string, bool)>)
            [("taskType", "task_type", provider.Protocol is "gemini" or "vertex"), ("title", "title", provider.Protocol == "vertex")])
        {
            if (Same(request, name) is not { } value)
            {
                continue;
            }

            if (knows)
            {
                json.WritePropertyName(said);
                json.WriteCopy(value);
            }
            else
            {
                dropped.AddAdvice(name);
            }
        }
    }

    protected override void WriteReply(RequestExchange exchange, JsonElement[] vectors, long tokens, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (isBatch)
        {
            json.WriteStartArray("embeddings"u8);
            foreach (var vector in vectors)
            {
                json.WriteStartObject();
                json.WriteCopy("values"u8, vector);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
        else
        {
            json.WriteStartObject("embedding"u8);
            json.WriteCopy("values"u8, vectors[0]);
            json.WriteEndObject();
        }

        json.WriteStartObject("usageMetadata"u8);
        json.WriteNumber("promptTokenCount"u8, tokens);
        json.WriteNumber("totalTokenCount"u8, tokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    protected override long? Tokens(JsonElement reply) => reply.Field("usageMetadata"u8).Field("promptTokenCount"u8).Count() is > 0 and var tokens ? tokens : null;

    private JsonElement[] Requests(JsonElement request) => isBatch ? [.. request.Field("requests"u8).Items()] : [request];

    /// <summary>What all requests say; null when none says it.</summary>
    /// <exception cref="UntranslatableRequestException">They say it differently, and others are asked once for all.</exception>
    private JsonElement? Same(JsonElement request, string name)
    {
        var values = Requests(request).Select(one => one.Named(name)).ToArray();
        return !Array.Exists(values, static value => value.Given()) ? null
            : values.Select(static value => value.Given() ? value.GetRawText() : null).Distinct().Count() == 1 ? values[0]
            : throw new UntranslatableRequestException($"This model is asked for all texts at once: {name} must be the same in each request.", name);
    }
}
