using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>
/// Cohere's v2 rerank. Its first version had documents that are objects, and gave them back on demand; clients still ask so: the text is
/// taken out on the way there and put in on the way back.
/// </summary>
internal sealed class CohereRerank : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => CohereAddress.Of(target, "rerank");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("model"u8, call.ProviderModel);
        WriteFields(request, json, dropped, "max_tokens_per_doc", "priority");
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        RerankReply.Write(root.Field("results"u8), root.Field("meta"u8), root.Field("id"u8).Text(), call, output);
        return true;
    }

    /// <summary>The question and the documents, as Cohere takes them at its own address and at Amazon's alike.</summary>
    public static void WriteFields(JsonElement request, Utf8JsonWriter json, DroppedFields dropped, params string[] more)
    {
        json.WriteCopy("query"u8, request.Field("query"u8) is { ValueKind: JsonValueKind.String } query
            ? query
            : throw new UntranslatableRequestException("The field query must be a string.", "query"));
        json.WriteStartArray("documents"u8);
        foreach (var document in request.Field("documents"u8).Items())
        {
            json.WriteCopy(RerankReply.TextOf(document) is { ValueKind: JsonValueKind.String } text
                ? text
                : throw new UntranslatableRequestException("Each of the documents must be a string, or an object with a text.", "documents"));
        }

        json.WriteEndArray();
        if (request.Field("top_n"u8) is { ValueKind: JsonValueKind.Number } top)
        {
            json.WriteCopy("top_n"u8, top);
        }

        foreach (var name in more)
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                json.WritePropertyName(name);
                json.WriteCopy(value);
            }
        }

        dropped.AddUnknown(request, ["model", "query", "documents", "top_n", "return_documents", .. more]);
    }
}
