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
        RerankRequest.WriteFields(request, json, dropped, "top_n"u8, "max_tokens_per_doc", "priority");
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
}
