using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>OpenAI's request for embeddings, read for protocols with other words for it.</summary>
/// <param name="Texts">The texts, each as it stands in the request.</param>
/// <param name="Dimensions">The length asked for; null for the model's own.</param>
internal readonly record struct EmbeddingRequest(List<JsonElement> Texts, int? Dimensions)
{
    private static readonly string[] Own = ["model", "input", "dimensions", "encoding_format", "user"];

    /// <summary>Reads it; what is neither OpenAI's nor in <paramref name="known"/> is dropped by name.</summary>
    /// <exception cref="UntranslatableRequestException">It asks for what only OpenAI's protocol can say.</exception>
    public static EmbeddingRequest Read(JsonElement request, DroppedFields dropped, string provider, params ReadOnlySpan<string> known)
    {
        var texts = new List<JsonElement>();
        var input = request.Field("input"u8);
        if (input.ValueKind == JsonValueKind.String)
        {
            texts.Add(input);
        }

        foreach (var text in input.Items())
        {
            if (text.ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException($"{provider} embeds texts and cannot be sent numbers of tokens: send input as a string or a list of strings.", "input");
            }

            texts.Add(text);
        }

        if (texts.Count == 0)
        {
            throw new UntranslatableRequestException("The field input must be a string or a list of strings that is not empty.", "input");
        }

        dropped.AddUnknown(request, [.. Own, .. known]);
        return new EmbeddingRequest(texts, request.Field("dimensions"u8).Int());
    }

    /// <summary>Writes the texts as a list.</summary>
    public void WriteTexts(Utf8JsonWriter json, string name)
    {
        json.WriteStartArray(name);
        foreach (var text in Texts)
        {
            json.WriteCopy(text);
        }

        json.WriteEndArray();
    }
}
