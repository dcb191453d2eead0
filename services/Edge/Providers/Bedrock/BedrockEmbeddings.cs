using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Gateway.Edge.Providers.Cohere;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>
/// Embeddings on Amazon Bedrock, where each maker's models have words of their own: Amazon's Titan takes one text at a time, Cohere's take
/// many. How many tokens were read stands in a header.
/// </summary>
internal sealed class BedrockEmbeddings : IUpstreamOperation
{
    private const string TokensHeader = "X-Amzn-Bedrock-Input-Token-Count";

    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => BedrockAddress.Invoke(target);

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        if (new BedrockModel(call.ProviderModel).IsCohere)
        {
            CohereEmbeddings.WriteFields(request, json, dropped, "Bedrock", call.ProviderModel.Contains("embed-v4", StringComparison.Ordinal) ? "output_dimension" : null);
        }
        else
        {
            var asked = EmbeddingRequest.Read(request, dropped, "Bedrock", "normalize");
            if (asked.Texts.Count > 1)
            {
                throw new UntranslatableRequestException($"{call.ProviderModel} embeds one text in a request: send one request for each.", "input");
            }

            json.WriteCopy("inputText"u8, asked.Texts[0]);
            if (asked.Dimensions is { } dimensions)
            {
                json.WriteNumber("dimensions"u8, dimensions);
            }

            if (request.Field("normalize"u8) is { ValueKind: JsonValueKind.True or JsonValueKind.False } normalize)
            {
                json.WriteCopy("normalize"u8, normalize);
            }
        }

        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        if (root.Field("embedding"u8) is { ValueKind: JsonValueKind.Array } one)
        {
            var counted = root.Field("inputTextTokenCount"u8);
            return EmbeddingReply.Write([one], counted.Given() ? counted.Count() : InHeader(call), call, output);
        }

        return EmbeddingReply.Write(CohereEmbeddings.Vectors(root), InHeader(call), call, output);
    }

    private static long? InHeader(in OperationCall call) =>
        call.Headers.TryGetValues(TokensHeader, out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var tokens) ? tokens : null;
}
