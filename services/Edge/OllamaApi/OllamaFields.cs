using System.Text.Json;

namespace Gateway.Edge.OllamaApi;

/// <summary>What is particular to reading a request that goes to Ollama as it came.</summary>
internal static class OllamaFields
{
    /// <summary>The error of a name that Ollama reads and the gateway would not.</summary>
    public static readonly GatewayError InCapitals = new(400, "invalid_request", "The names of fields are written in small letters: model, stream, options.", "model");

    /// <summary>
    /// Whether it is a name that the gateway reads, in letters that Ollama takes for the same: a model that is granted could else stand beside one
    /// that is not.
    /// </summary>
    public static bool IsInCapitals(ref Utf8JsonReader name)
    {
        if (name.ValueSpan.Length is < 5 or > 42)
        {
            return false;
        }

        // Go, in which Ollama is written, reads the long s as an s, too.
        var text = name.GetString()!;
        return text is not ("model" or "stream" or "options") && text.Replace('\u017f', 's').ToLowerInvariant() is "model" or "stream" or "options";
    }

    /// <summary>The bound on the output in <c>options</c>; null when there is none, which a negative one says too.</summary>
    public static long? ReadMost(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return null;
        }

        long? found = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var bounds = json.ValueTextEquals("num_predict"u8);
            json.Read();
            if (bounds)
            {
                found = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var most) && most > 0 ? most : null;
            }

            json.Skip();
        }

        return found;
    }
}
