using System.Text.Json;
using Gateway.SampleProvider.Answers;

namespace Gateway.SampleProvider.Asking;

/// <param name="Text">The text, or its token numbers written out where the caller sent tokens.</param>
/// <param name="Tokens">How many tokens it has.</param>
internal sealed record TextInput(string Text, int Tokens);

/// <summary>Reads a field that is a text, several texts, tokens, or several lists of tokens.</summary>
internal static class TextInputs
{
    /// <summary>The inputs; empty when the field is absent; null when it is something else.</summary>
    public static List<TextInput>? Read(ReadOnlySpan<byte> body, string field)
    {
        var reader = new Utf8JsonReader(body);
        var root = JsonElement.ParseValue(ref reader);
        return root.TryGetProperty(field, out var value) ? Read(value) : [];
    }

    public static List<TextInput>? Read(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return [Of(value.GetString()!)];
            case JsonValueKind.Array when value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.Number:
                return [OfTokens(value)];
            case JsonValueKind.Array:
                var inputs = new List<TextInput>();
                foreach (var item in value.EnumerateArray())
                {
                    if (item.ValueKind == JsonValueKind.String)
                    {
                        inputs.Add(Of(item.GetString()!));
                    }
                    else if (item.ValueKind == JsonValueKind.Array)
                    {
                        inputs.Add(OfTokens(item));
                    }
                    else
                    {
                        return null;
                    }
                }

                return inputs;
            default:
                return null;
        }
    }

    private static TextInput Of(string text) => new(text, Answers.Tokens.Count(text));

    private static TextInput OfTokens(JsonElement tokens) =>
        new(tokens.GetRawText(), tokens.GetArrayLength());
}
