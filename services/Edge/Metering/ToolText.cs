using System.Text;
using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Metering;

/// <summary>
/// Definitions of tools as OpenAI's models read them: not JSON, but a namespace of types as in TypeScript, in the format that OpenAI
/// published with its open models. For counting only. Definitions in Anthropic's words (<c>input_schema</c>) and in those of OpenAI's
/// Responses are said the same way.
/// </summary>
internal static class ToolText
{
    /// <summary>The text; empty when no tool is a function.</summary>
    /// <param name="tools">The array of definitions.</param>
    public static string Of(JsonElement tools)
    {
        var text = new StringBuilder();
        foreach (var tool in tools.Items())
        {
            var function = tool.Field("function"u8) is { ValueKind: JsonValueKind.Object } nested ? nested : tool;
            if (function.Field("name"u8).Text() is not { } name)
            {
                continue;
            }

            var schema = function.Field("parameters"u8) is { ValueKind: JsonValueKind.Object } parameters ? parameters : function.Field("input_schema"u8);
            Remark(text, function);
            text.Append("type ").Append(name);
            if (schema.Field("properties"u8).ValueKind == JsonValueKind.Object)
            {
                text.Append(" = (_: ");
                Type(text, schema);
                text.Append(") => any;\n\n");
            }
            else
            {
                text.Append(" = () => any;\n\n");
            }
        }

        return text.Length == 0 ? "" : $"# Tools\n\n## functions\n\nnamespace functions {{\n\n{text}}} // namespace functions";
    }

    private static void Remark(StringBuilder text, JsonElement described)
    {
        if (described.Field("description"u8).Text() is { Length: > 0 } description)
        {
            text.Append("// ").Append(description.ReplaceLineEndings("\n// ")).Append('\n');
        }
    }

    private static void Type(StringBuilder text, JsonElement schema)
    {
        if (schema.Field("enum"u8) is { ValueKind: JsonValueKind.Array } values)
        {
            text.AppendJoin(" | ", values.Items().Select(static value => value.GetRawText()));
            return;
        }

        foreach (var alternatives in new[] { schema.Field("anyOf"u8), schema.Field("oneOf"u8) })
        {
            if (alternatives.ValueKind == JsonValueKind.Array)
            {
                var first = true;
                foreach (var alternative in alternatives.Items())
                {
                    text.Append(first ? "" : " | ");
                    Type(text, alternative);
                    first = false;
                }

                return;
            }
        }

        switch (schema.Field("type"u8).Text())
        {
            case "object":
                Properties(text, schema);
                break;
            case "array":
                Type(text, schema.Field("items"u8));
                text.Append("[]");
                break;
            case "integer" or "number":
                text.Append("number");
                break;
            case { } plain:
                text.Append(plain);
                break;
            default:
                text.Append("any");
                break;
        }
    }

    private static void Properties(StringBuilder text, JsonElement schema)
    {
        var required = schema.Field("required"u8).Items().Select(static name => name.Text()).ToHashSet();
        text.Append("{\n");
        if (schema.Field("properties"u8) is { ValueKind: JsonValueKind.Object } properties)
        {
            foreach (var property in properties.EnumerateObject())
            {
                Remark(text, property.Value);
                text.Append(property.Name).Append(required.Contains(property.Name) ? ": " : "?: ");
                Type(text, property.Value);
                text.Append(",\n");
            }
        }

        text.Append('}');
    }
}
