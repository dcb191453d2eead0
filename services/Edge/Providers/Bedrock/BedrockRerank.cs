using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.Cohere;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Rerank models on Amazon Bedrock, Amazon's own and Cohere's. Searches are billed, and the reply does not say how many: the request does.</summary>
internal sealed class BedrockRerank : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => BedrockAddress.Invoke(target);

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        if (new BedrockModel(call.KnownModel).IsCohere)
        {
            json.WriteNumber("api_version"u8, 2);
            RerankRequest.WriteFields(request, json, dropped, "top_n"u8, "max_tokens_per_doc");
        }
        else
        {
            RerankRequest.WriteFields(request, json, dropped, "top_n"u8);
        }

        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        RerankReply.Write(document.RootElement.Field("results"u8), default, null, call, output);
        return true;
    }
}
