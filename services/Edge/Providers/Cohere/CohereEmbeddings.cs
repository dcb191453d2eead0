using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Cohere's v2 embeddings. Cohere's own fields (<c>input_type</c>, <c>truncate</c>) may stand beside OpenAI's and go on.</summary>
internal sealed class CohereEmbeddings : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => CohereAddress.Of(target, "embed");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("model"u8, call.ProviderModel);
        WriteFields(request, json, dropped, "Cohere", "output_dimension");
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var billed = root.Field("meta"u8).Field("billed_units"u8).Field("input_tokens"u8);
        return EmbeddingReply.Write(Vectors(root), billed.Given() ? billed.Count() : null, call, output);
    }

    /// <summary>The fields that Cohere takes at its own address and at Amazon's alike.</summary>
    public static void WriteFields(JsonElement request, Utf8JsonWriter json, DroppedFields dropped, string provider, string? dimensionsField)
    {
        var asked = EmbeddingRequest.Read(request, dropped, provider, "input_type", "truncate");
        asked.WriteTexts(json, "texts");

        // Its models must be told what the vectors are for. OpenAI has no word for that: documents are what most are made of.
        json.WriteString("input_type"u8, request.Field("input_type"u8).Text() ?? "search_document");
        json.WriteStartArray("embedding_types"u8);
        json.WriteStringValue("float"u8);
        json.WriteEndArray();
        if (request.Field("truncate"u8) is { ValueKind: JsonValueKind.String } truncate)
        {
            json.WriteCopy("truncate"u8, truncate);
        }

        if (asked.Dimensions is { } dimensions)
        {
            if (dimensionsField is null)
            {
                dropped.Add("dimensions");
            }
            else
            {
                json.WriteNumber(dimensionsField, dimensions);
            }
        }
    }

    /// <summary>The vectors, by type or (as older models answer) as a plain list.</summary>
    public static IEnumerable<JsonElement> Vectors(JsonElement reply)
    {
        var embeddings = reply.Field("embeddings"u8);
        return (embeddings.ValueKind == JsonValueKind.Array ? embeddings : embeddings.Field("float"u8)).Items();
    }
}
