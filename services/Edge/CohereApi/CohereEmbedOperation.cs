using System.Text.Json;
using Gateway.Edge.Embeddings;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.CohereApi;

/// <summary>Cohere's <c>/v2/embed</c>. Format: https://docs.cohere.com/reference/embed.</summary>
internal sealed class CohereEmbedOperation(WholeReply whole) : EmbedSurface(whole, SurfaceProtocol.CohereEmbed)
{
    private static readonly HashSet<string> Known =
        ["model", "texts", "inputs", "images", "input_type", "embedding_types", "output_dimension", "truncate", "max_tokens", "priority", "user", "metadata", "disable_fallbacks"];

    /// <summary>Cohere's own words of what the vectors are for and how texts are cut, which reach its models elsewhere, too.</summary>
    private static readonly string[] OfCohere = ["input_type", "truncate"];

    private static readonly CohereSurface Errors = new();

    public override Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context, Errors);

    protected override IEnumerable<JsonElement> Texts(JsonElement request)
    {
        if (request.Field("images"u8).Items().Any())
        {
            throw new UntranslatableRequestException("This model embeds texts: leave images out, or call a model of Cohere's.", "images");
        }

        var texts = request.Field("texts"u8).Items().Concat(request.Field("inputs"u8).Items().SelectMany(static input => input.Field("content"u8).Items())
            .Select(static part => part.Field("text"u8))).ToArray();
        return texts.Length > 0 && Array.TrueForAll(texts, static text => text.ValueKind == JsonValueKind.String)
            ? texts
            : throw new UntranslatableRequestException("The field texts must be a list of texts, or inputs one of contents of type text.", request.Field("inputs"u8).Given() ? "inputs" : "texts");
    }

    protected override void WriteRest(JsonElement request, IChatProvider provider, DroppedFields dropped, Utf8JsonWriter json)
    {
        dropped.AddUnknown(request, Known);
        dropped.AddMetadataOf(request);
        if (TypesOf(request).Except(["float", "base64"]).FirstOrDefault() is { } other)
        {
            throw new UntranslatableRequestException($"This model's vectors are numbers: embedding_types can be float and base64, and not '{other}'.", "embedding_types");
        }

        if (request.Field("inputs"u8).Items().Any(static input => input.Field("content"u8).Items().Count() > 1))
        {
            throw new UntranslatableRequestException("This model makes a vector of one text: each of inputs can have one content.", "inputs");
        }

        if (request.Field("output_dimension"u8).Given())
        {
            json.WriteCopy("dimensions"u8, request.Field("output_dimension"u8));
        }

        var knows = provider.Protocol is "cohere" or "bedrock";
        foreach (var field in request.Fields().Where(static field => field.Value.Given()))
        {
            if (OfCohere.Contains(field.Name) && knows)
            {
                json.WriteCopy(field);
            }
            else if (OfCohere.Contains(field.Name) || field.Name is "max_tokens" or "priority")
            {
                dropped.AddAdvice(field.Name);
            }
        }
    }

    protected override void WriteReply(RequestExchange exchange, JsonElement[] vectors, long tokens, Utf8JsonWriter json)
    {
        using var request = RequestHead.Parse(exchange.Body.Memory);
        var texts = Texts(request.RootElement);
        json.WriteStartObject();
        json.WriteString("id"u8, exchange.Id);
        json.WriteString("response_type"u8, "embeddings_by_type"u8);
        json.WriteStartArray("texts"u8);
        foreach (var text in texts)
        {
            json.WriteCopy(text);
        }

        json.WriteEndArray();
        json.WriteStartObject("embeddings"u8);
        foreach (var type in TypesOf(request.RootElement).Distinct())
        {
            json.WriteStartArray(type);
            foreach (var vector in vectors)
            {
                if (type == "base64")
                {
                    json.WriteBase64StringValue(EmbeddingReply.Bytes(vector));
                }
                else
                {
                    json.WriteCopy(vector);
                }
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteStartObject("meta"u8);
        json.WriteStartObject("api_version"u8);
        json.WriteString("version"u8, "2"u8);
        json.WriteEndObject();
        json.WriteStartObject("billed_units"u8);
        json.WriteNumber("input_tokens"u8, tokens);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    protected override long? Tokens(JsonElement reply)
    {
        var billed = reply.Field("meta"u8).Field("billed_units"u8);
        var tokens = billed.Field("input_tokens"u8).Count() + billed.Field("image_tokens"u8).Count();
        return tokens > 0 ? tokens : null;
    }

    private static IEnumerable<string> TypesOf(JsonElement request) =>
        request.Field("embedding_types"u8).Items().Any() ? request.Field("embedding_types"u8).Items().Select(static type => type.Text() ?? "") : ["float"];
}
