using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>Writes Cohere's reply to a rerank, the hub's words for it.</summary>
internal static class RerankReply
{
    /// <summary>Writes it.</summary>
    /// <param name="results">Each with <c>index</c> and <c>relevance_score</c>.</param>
    /// <param name="meta">What was billed; undefined for nothing.</param>
    /// <param name="id">The provider's id; null to make one.</param>
    /// <param name="call">The call: documents are given back when it asks for them.</param>
    /// <param name="output">Takes the reply.</param>
    /// <param name="tokens">Tokens read, where these are billed.</param>
    public static void Write(JsonElement results, JsonElement meta, string? id, in OperationCall call, IBufferWriter<byte> output, long? tokens = null)
    {
        if (results.ValueKind != JsonValueKind.Array)
        {
            throw new MalformedReplyException("The provider's reply has no results.");
        }

        using var asked = JsonDocument.Parse(call.Request);
        var documents = asked.RootElement.Field("return_documents"u8).ValueKind == JsonValueKind.True ? asked.RootElement.Field("documents"u8) : default;
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("id"u8, id ?? call.Call.Id.ToString());
        json.WriteStartArray("results"u8);
        foreach (var result in results.EnumerateArray())
        {
            var index = result.Field("index"u8).Int() ?? throw new MalformedReplyException("A result in the provider's reply has no index.");
            json.WriteStartObject();
            json.WriteNumber("index"u8, index);
            json.WritePropertyName("relevance_score"u8);
            if (result.Field("relevance_score"u8) is { ValueKind: JsonValueKind.Number } score)
            {
                json.WriteCopy(score);
            }
            else
            {
                throw new MalformedReplyException("A result in the provider's reply has no score.");
            }

            if (documents.ValueKind == JsonValueKind.Array && index >= 0 && index < documents.GetArrayLength() && TextOf(documents[index]) is { ValueKind: JsonValueKind.String } text)
            {
                json.WriteStartObject("document"u8);
                json.WriteCopy("text"u8, text);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (meta.ValueKind == JsonValueKind.Object)
        {
            json.WriteCopy("meta"u8, meta);
        }

        if (tokens is { } read)
        {
            json.WriteStartObject("usage"u8);
            json.WriteNumber("total_tokens"u8, read);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>A document's text: itself, or the <c>text</c> of an object.</summary>
    public static JsonElement TextOf(JsonElement document) => document.ValueKind == JsonValueKind.Object ? document.Field("text"u8) : document;
}
