using System.Text.Json;

namespace Gateway.Edge.Chat;

/// <summary>A tool's arguments, which OpenAI gives as a text and others as an object.</summary>
internal static class ToolArguments
{
    /// <summary>Writes the object; what is none is kept under a name.</summary>
    public static void Write(Utf8JsonWriter json, string arguments)
    {
        try
        {
            using var parsed = JsonDocument.Parse(arguments.Length == 0 ? "{}" : arguments);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
            {
                json.WriteRawValue(arguments.Length == 0 ? "{}" : arguments, skipInputValidation: true);
                return;
            }
        }
        catch (JsonException)
        {
            // The model wrote half of something: the client sees what it wrote.
        }

        json.WriteStartObject();
        json.WriteString("invalid_arguments", arguments);
        json.WriteEndObject();
    }
}
