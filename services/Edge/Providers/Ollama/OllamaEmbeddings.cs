using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>Ollama's own embeddings. Its <c>truncate</c>, <c>keep_alive</c> and <c>options</c> may stand beside OpenAI's fields and go on.</summary>
internal sealed class OllamaEmbeddings : IUpstreamOperation
{
    private static readonly string[] Own = ["truncate", "keep_alive", "options"];

    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => target.Under("api/embed");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        var asked = EmbeddingRequest.Read(request, dropped, "Ollama", Own);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("model"u8, call.ProviderModel);
        asked.WriteTexts(json, "input");
        if (asked.Dimensions is { } dimensions)
        {
            json.WriteNumber("dimensions"u8, dimensions);
        }

        json.WriteFieldsOf(request, Own);

        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var tokens = root.Field("prompt_eval_count"u8);
        return EmbeddingReply.Write(root.Field("embeddings"u8).Items(), tokens.Given() ? tokens.Count() : null, call, output);
    }
}
