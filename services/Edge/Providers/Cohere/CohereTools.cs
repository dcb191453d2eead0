using System.Text.Json;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>The tools of a request in Cohere's words, and whether the model must call one of them.</summary>
/// <param name="request">The request in OpenAI's words.</param>
/// <param name="dropped">Takes what cannot be said.</param>
/// <param name="writer">Takes the members.</param>
internal sealed class CohereTools(JsonElement request, DroppedFields dropped, Utf8JsonWriter writer)
{
    /// <summary>Writes <c>tools</c> and <c>tool_choice</c>, when there are any.</summary>
    /// <exception cref="UntranslatableRequestException">A tool cannot be said.</exception>
    public void Write()
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var tools = ChatRequest.OfferedTools(request, choice);
        if (tools.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            WriteTool(tool);
        }

        writer.WriteEndArray();

        // Cohere cannot name a tool. One tool alone that must be used is the same.
        var word = choice.Mode switch
        {
            "required" or "any" or "named" => "REQUIRED",
            "none" => "NONE",
            _ => null,
        };
        if (word is not null)
        {
            writer.WriteString("tool_choice"u8, word);
        }
    }

    private void WriteTool(JsonElement tool)
    {
        var function = tool.Field("function"u8);
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Cohere takes functions only: each tool needs a function with a name.", "tools");
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, "function"u8);
        writer.WriteStartObject("function"u8);
        writer.WriteCopy("name"u8, function.Field("name"u8));
        if (function.Field("description"u8).ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("description"u8, function.Field("description"u8));
        }

        writer.WritePropertyName("parameters"u8);
        if (function.Field("parameters"u8).ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy(function.Field("parameters"u8));
        }
        else
        {
            writer.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();

        // Cohere is strict for all tools or for none.
        if (!request.Field("strict_tools"u8).Given())
        {
            dropped.AddStrictOf(function);
        }
    }
}
