using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Voyage;

/// <summary>Voyage's rerank: <c>top_k</c> where others say <c>top_n</c>, and the results under <c>data</c>. Its <c>truncation</c> goes on.</summary>
/// <param name="address">The address of one call.</param>
internal sealed class VoyageRerank(Func<ProviderTarget, Uri> address) : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => address(target);

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("model"u8, call.ProviderModel);
        RerankRequest.WriteFields(request, json, dropped, "top_k"u8, "truncation");
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var tokens = root.Field("usage"u8).Field("total_tokens"u8);
        RerankReply.Write(root.Field("data"u8), default, null, call, output, tokens.Given() ? tokens.Count() : null);
        return true;
    }
}
