using System.Text.Json;
using Gateway.Edge.Embeddings;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.OllamaApi;

/// <summary>Ollama's <c>/api/embed</c>, and <c>/api/embeddings</c>, which came before it and has one prompt and one vector.</summary>
internal sealed class OllamaEmbedOperation(WholeReply whole, bool isOlder, TimeProvider time)
    : EmbedSurface(whole, isOlder ? SurfaceProtocol.OllamaEmbeddings : SurfaceProtocol.OllamaEmbed)
{
    private static readonly HashSet<string> Known = ["model", "dimensions", "truncate", "keep_alive", "options", "user", "metadata", "disable_fallbacks"];

    private readonly OllamaSurface errors = new(generates: false, time);
    private readonly string input = isOlder ? "prompt" : "input";

    public override Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context, errors);

    protected override IEnumerable<JsonElement> Texts(JsonElement request)
    {
        request.TryGetProperty(input, out var texts);
        return texts.ValueKind switch
        {
            JsonValueKind.String => [texts],
            JsonValueKind.Array when !isOlder && texts.Items().Any() && texts.Items().All(static text => text.ValueKind == JsonValueKind.String) => texts.Items(),
            _ => throw new UntranslatableRequestException($"The field {input} must be a text{(isOlder ? "" : " or a list of texts")}.", input),
        };
    }

    protected override void WriteRest(JsonElement request, IChatProvider provider, DroppedFields dropped, Utf8JsonWriter json)
    {
        dropped.AddUnknown(request, [.. Known, input]);
        dropped.AddMetadataOf(request);
        json.WriteFieldsOf(request, ["dimensions"]);
        foreach (var name in (ReadOnlySpan<string>)["truncate", "keep_alive", "options"])
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                dropped.AddAdvice(name);
            }
        }
    }

    protected override void WriteReply(RequestExchange exchange, JsonElement[] vectors, long tokens, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (isOlder)
        {
            json.WriteCopy("embedding"u8, vectors[0]);
            json.WriteEndObject();
            return;
        }

        json.WriteString("model"u8, exchange.Head.ModelName);
        json.WriteStartArray("embeddings"u8);
        foreach (var vector in vectors)
        {
            json.WriteCopy(vector);
        }

        json.WriteEndArray();
        json.WriteNumber("total_duration"u8, exchange.ElapsedMicroseconds(time) * 1_000);
        json.WriteNumber("load_duration"u8, 0);
        json.WriteNumber("prompt_eval_count"u8, tokens);
        json.WriteEndObject();
    }

    protected override long? Tokens(JsonElement reply) => reply.Field("prompt_eval_count"u8) is { ValueKind: JsonValueKind.Number } read && read.Count() is > 0 and var tokens ? tokens : null;
}
