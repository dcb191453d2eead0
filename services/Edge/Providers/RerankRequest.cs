using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>A rerank request as clients say it, for providers that each name the number of results otherwise.</summary>
internal static class RerankRequest
{
    /// <summary>Writes the question and the documents, and says what of the request is left out.</summary>
    /// <param name="request">The client's request.</param>
    /// <param name="json">Takes the fields.</param>
    /// <param name="dropped">Takes the names of what cannot be said.</param>
    /// <param name="top">The provider's name of <c>top_n</c>.</param>
    /// <param name="more">Fields that the provider has under the same name.</param>
    /// <exception cref="UntranslatableRequestException">The question is no string, or a document no text.</exception>
    public static void WriteFields(JsonElement request, Utf8JsonWriter json, DroppedFields dropped, ReadOnlySpan<byte> top, params string[] more)
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
        if (request.Field("top_n"u8) is { ValueKind: JsonValueKind.Number } count)
        {
            json.WriteCopy(top, count);
        }

        json.WriteFieldsOf(request, more);
        dropped.AddUnknown(request, ["model", "query", "documents", "top_n", "return_documents", .. more]);
    }
}
