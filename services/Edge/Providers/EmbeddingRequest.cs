using System.Text.Json;
using Gateway.Edge.Flow;

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

    /// <summary>Writes a body for each text, for a provider that takes one at a time; a list of bodies where there are several.</summary>
    /// <exception cref="UntranslatableRequestException">There are too many.</exception>
    public void WriteOneByOne(Utf8JsonWriter json, Action<JsonElement> write)
    {
        if (Texts.Count == 1)
        {
            write(Texts[0]);
            return;
        }

        if (Texts.Count > SeveralCalls.Max)
        {
            throw new UntranslatableRequestException($"This model embeds one text in a call, and the gateway makes at most {SeveralCalls.Max} calls for a request: send fewer texts.", "input");
        }

        json.WriteStartArray();
        Texts.ForEach(write);
        json.WriteEndArray();
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
