using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers.Cohere;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>
/// Embeddings on Amazon Bedrock, where each maker's models have words of their own: Amazon's Titan takes one text at a time, so that a list is a call
/// for each; Cohere's take many. How many tokens were read stands in a header.
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
        if (new BedrockModel(call.KnownModel).IsCohere)
        {
            json.WriteStartObject();
            CohereEmbeddings.WriteFields(request, json, dropped, "Bedrock", call.KnownModel.Contains("embed-v4", StringComparison.Ordinal) ? "output_dimension" : null);
            json.WriteEndObject();
            return;
        }

        var asked = EmbeddingRequest.Read(request, dropped, "Bedrock", "normalize");
        asked.WriteOneByOne(json, text => WriteTitans(json, request, asked.Dimensions, text));
    }

    private static void WriteTitans(Utf8JsonWriter json, JsonElement request, int? dimensions, JsonElement text)
    {
        json.WriteStartObject();
        json.WriteCopy("inputText"u8, text);
        if (dimensions is { } length)
        {
            json.WriteNumber("dimensions"u8, length);
        }

        if (request.Field("normalize"u8) is { ValueKind: JsonValueKind.True or JsonValueKind.False } normalize)
        {
            json.WriteCopy("normalize"u8, normalize);
        }

        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var replies = SeveralCalls.RepliesIn(root);
        if (replies.Length != 1 || root.Field("embedding"u8).Given())
        {
            return WriteTitans(replies, InHeader(call), call, output);
        }

        return EmbeddingReply.Write(CohereEmbeddings.Vectors(root), InHeader(call), call, output);
    }

    private static bool WriteTitans(JsonElement[] replies, long? told, in OperationCall call, IBufferWriter<byte> output)
    {
        var counted = Array.TrueForAll(replies, static reply => reply.Field("inputTextTokenCount"u8).Given());
        return EmbeddingReply.Write(
            replies.Select(static reply => reply.Field("embedding"u8)), counted ? replies.Sum(static reply => reply.Field("inputTextTokenCount"u8).Count()) : told, call, output);
    }

    private static long? InHeader(in OperationCall call) =>
        call.Headers.TryGetValues(TokensHeader, out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var tokens) ? tokens : null;
}
