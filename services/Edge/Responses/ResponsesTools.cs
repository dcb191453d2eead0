using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>
/// Says a response's tools in the words of chat. A function stands inside <c>function</c> there; a custom tool, which takes free text, is said as
/// a function of one text, and what stands in a namespace on its own. Tools that OpenAI runs have no other provider.
/// </summary>
internal sealed class ResponsesTools(IReadOnlyCollection<JsonElement> groups, ResponseToolNames names, DroppedFields dropped, Utf8JsonWriter json)
{
    private const string CustomParameters =
        """{"type":"object","properties":{"input":{"type":"string","description":"The tool's whole input, as plain text."}},"required":["input"],"additionalProperties":false}""";

    private static ReadOnlySpan<byte> NoParameters => """{"type":"object","properties":{}}"""u8;

    /// <summary>Writes <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>.</summary>
    public void Write(JsonElement request)
    {
        var tools = ResponseTool.In(groups).ToArray();
        if (tools.Length == 0)
        {
            return;
        }

        if (groups.Any(static group => group.Field("type"u8).Is("namespace"u8) && group.Field("description"u8).Text() is { Length: > 0 }))
        {
            dropped.AddAdvice("tools.namespace.description");
        }

        json.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            WriteTool(tool);
        }

        json.WriteEndArray();
        WriteChoice(request.Field("tool_choice"u8));
        if (request.Field("parallel_tool_calls"u8).ValueKind == JsonValueKind.False)
        {
            json.WriteBoolean("parallel_tool_calls"u8, false);
        }
    }

    /// <summary>Writes the tools as a response repeats them: a function has its parameters and whether they are strict, also where the request leaves them out.</summary>
    public static void WriteRequested(Utf8JsonWriter json, JsonElement tools)
    {
        json.WriteStartArray("tools"u8);
        foreach (var tool in tools.Items())
        {
            json.WriteStartObject();
            foreach (var member in tool.Fields().Where(static member => member.Value.Given()))
            {
                json.WriteCopy(member);
            }

            if (tool.Field("type"u8).Is("function"u8))
            {
                if (!tool.Field("parameters"u8).Given())
                {
                    json.WriteRawValueMember("parameters"u8, NoParameters);
                }

                if (!tool.Field("strict"u8).Given())
                {
                    json.WriteBoolean("strict"u8, false);
                }
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>What a custom tool was given: the text in the one argument; when that is half written, as it stands.</summary>
    public static string CustomInputOf(string arguments)
    {
        try
        {
            using var document = JsonDocument.Parse(arguments);
            return document.RootElement.Field("input"u8).Text() ?? arguments;
        }
        catch (JsonException)
        {
            return arguments;
        }
    }

    /// <summary>A custom tool's input as the argument that it was said with.</summary>
    public static string CustomArgumentsOf(string input) => $$"""{"input":{{JsonSerializer.Serialize(input, EdgeJson.Default.String)}}}""";

    private void WriteTool(ResponseTool named)
    {
        var tool = named.Definition;
        var type = tool.Field("type"u8).Text();
        if (type is not ("function" or "custom"))
        {
            throw new UntranslatableRequestException(
                $"The tool {type} is one that OpenAI runs, and this model's provider is another: leave it out, or call a model of OpenAI's.", "tools");
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, names.Of(named.Namespace, named.Name));
        var description = tool.Field("description"u8).Text();
        var grammar = tool.Field("format"u8).Field("definition"u8).Text();
        if (grammar is not null)
        {
            description = $"{description}\n\nIts input follows this grammar ({tool.Field("format"u8).Field("syntax"u8).Text()}):\n{grammar}";
        }

        if (description is not null)
        {
            json.WriteString("description"u8, description);
        }

        if (type == "custom")
        {
            json.WritePropertyName("parameters"u8);
            json.WriteRawValue(CustomParameters, skipInputValidation: true);
        }
        else
        {
            json.WritePropertyName("parameters"u8);
            json.WriteRawValue(tool.Field("parameters"u8) is { ValueKind: JsonValueKind.Object } schema ? schema.Raw() : NoParameters, skipInputValidation: true);
            if (tool.Field("strict"u8).ValueKind == JsonValueKind.True)
            {
                json.WriteBoolean("strict"u8, true);
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteChoice(JsonElement choice)
    {
        if (choice.ValueKind == JsonValueKind.String)
        {
            json.WriteCopy("tool_choice"u8, choice);
            return;
        }

        switch (choice.Field("type"u8).Text())
        {
            case null:
                break;

            case "function" or "custom":
                json.WriteStartObject("tool_choice"u8);
                WriteNamed(choice);
                json.WriteEndObject();
                break;

            case "allowed_tools":
                json.WriteStartObject("tool_choice"u8);
                json.WriteString("type"u8, "allowed_tools"u8);
                json.WriteStartObject("allowed_tools"u8);
                json.WriteString("mode"u8, choice.Field("mode"u8).Text() ?? "auto");
                json.WriteStartArray("tools"u8);
                foreach (var tool in choice.Field("tools"u8).Items())
                {
                    json.WriteStartObject();
                    WriteNamed(tool);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
                break;

            case var hosted:
                throw new UntranslatableRequestException($"tool_choice of type {hosted} names a tool that OpenAI runs, and this model's provider is another.", "tool_choice");
        }
    }

    private void WriteNamed(JsonElement tool)
    {
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, names.Of(tool.Field("namespace"u8).Text(), tool.Field("name"u8).Text()));
        json.WriteEndObject();
    }
}
