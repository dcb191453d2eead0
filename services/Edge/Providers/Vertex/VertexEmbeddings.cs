using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>Vertex AI's embeddings, by its <c>:predict</c>, which takes one text at a time for Gemini's models. <c>task_type</c>, <c>title</c> and <c>auto_truncate</c> go on.</summary>
/// <param name="address">The address of a verb on the model.</param>
internal sealed class VertexEmbeddings(Func<ProviderTarget, string, Uri> address) : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => address(target, ":predict");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        var asked = EmbeddingRequest.Read(request, dropped, "Vertex AI", "task_type", "title", "auto_truncate");
        using var json = new Utf8JsonWriter(output);
        if (call.KnownModel.Contains("gemini-embedding", StringComparison.OrdinalIgnoreCase))
        {
            asked.WriteOneByOne(json, text => Write([text]));
        }
        else
        {
            Write(asked.Texts);
        }

        void Write(List<JsonElement> texts)
        {
            json.WriteStartObject();
            json.WriteStartArray("instances"u8);
            texts.ForEach(WriteInstance);
            json.WriteEndArray();
            json.WriteStartObject("parameters"u8);
            Copy("auto_truncate"u8, "autoTruncate"u8);
            if (asked.Dimensions is { } dimensions)
            {
                json.WriteNumber("outputDimensionality"u8, dimensions);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        void WriteInstance(JsonElement text)
        {
            json.WriteStartObject();
            json.WriteCopy("content"u8, text);
            Copy("task_type"u8, "task_type"u8);
            Copy("title"u8, "title"u8);
            json.WriteEndObject();
        }

        void Copy(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            if (request.Field(from) is { } value && value.Given())
            {
                if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                {
                    var name = Encoding.UTF8.GetString(from);
                    throw new UntranslatableRequestException($"The field {name} must be a string, a number or a boolean.", name);
                }

                json.WriteCopy(to, value);
            }
        }
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        JsonElement[] predictions = [.. SeveralCalls.RepliesIn(document.RootElement).SelectMany(static one => one.Field("predictions"u8).Items())];
        long? tokens = null;
        foreach (var prediction in predictions)
        {
            var counted = prediction.Field("embeddings"u8).Field("statistics"u8).Field("token_count"u8);
            tokens = counted.Given() ? (tokens ?? 0) + counted.Count() : tokens;
        }

        return EmbeddingReply.Write(predictions.Select(static prediction => prediction.Field("embeddings"u8).Field("values"u8)), tokens, call, output);
    }
}
