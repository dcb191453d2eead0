using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Gemini's embeddings of several texts in one call. Google's <c>task_type</c> may stand beside OpenAI's fields and goes on.</summary>
/// <param name="address">The address of a verb on the model.</param>
internal sealed class GeminiEmbeddings(Func<ProviderTarget, string, Uri> address) : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => address(target, ":batchEmbedContents");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        var asked = EmbeddingRequest.Read(request, dropped, "Gemini", "task_type");
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteStartArray("requests"u8);
        foreach (var text in asked.Texts)
        {
            json.WriteStartObject();
            json.WriteString("model"u8, "models/" + call.ProviderModel);
            json.WriteStartObject("content"u8);
            json.WriteStartArray("parts"u8);
            json.WriteStartObject();
            json.WriteCopy("text"u8, text);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            if (request.Field("task_type"u8) is { ValueKind: JsonValueKind.String } task)
            {
                json.WriteCopy("taskType"u8, task);
            }

            if (asked.Dimensions is { } dimensions)
            {
                json.WriteNumber("outputDimensionality"u8, dimensions);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var tokens = root.Field("usageMetadata"u8).Field("promptTokenCount"u8);
        var vectors = root.Field("embeddings"u8).Items().Select(static embedding => embedding.Field("values"u8));
        return EmbeddingReply.Write(vectors, tokens.Given() ? tokens.Count() : null, call, output);
    }
}
