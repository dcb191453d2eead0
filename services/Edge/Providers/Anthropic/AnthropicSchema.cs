using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// A JSON schema as Claude takes it where it is held to one (structured outputs, strict tools, whoever serves it): a part of JSON Schema, and each object
/// closed. What is beyond that part is told to the model in the description, as Anthropic's own clients do it, and named. Source: Anthropic's "Structured
/// outputs", "JSON Schema limitations".
/// </summary>
internal sealed partial class AnthropicSchema
{
    private static readonly HashSet<string> Copied = new(StringComparer.Ordinal) { "type", "enum", "const", "$ref", "title", "default", "required" };

    // They say how the schema is read, and ask nothing of the answer.
    private static readonly HashSet<string> OfTheSchema = new(StringComparer.Ordinal) { "description", "$schema", "$id", "$comment" };

    private static readonly HashSet<string> Formats = new(StringComparer.Ordinal)
    {
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    };

    private readonly string name;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private AnthropicSchema(string name, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.name = name;
        this.dropped = dropped;
        this.writer = writer;
    }

    /// <summary>Writes the schema.</summary>
    /// <param name="schema">The caller's.</param>
    /// <param name="name">Where it stands in the request: what it loses is named below it.</param>
    /// <param name="dropped">Takes the keywords that Claude is not held to.</param>
    /// <param name="writer">Takes the value.</param>
    public static void Write(JsonElement schema, string name, DroppedFields dropped, Utf8JsonWriter writer) => new AnthropicSchema(name, dropped, writer).Write(schema);

    /// <summary>Whether some object may have members that the schema does not state (a map, any JSON): closed, it would ask for something else.</summary>
    public static bool IsOpen(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return schema.Items().Any(IsOpen);
        }

        var more = schema.Field("additionalProperties"u8);
        var properties = schema.Field("properties"u8);
        var statesNothing = IsObject(schema) && !more.Given() && !properties.Given()
            && !Array.Exists(["anyOf", "allOf", "oneOf", "$ref"], keyword => schema.TryGetProperty(keyword, out _));
        return statesNothing || more.ValueKind is JsonValueKind.True or JsonValueKind.Object
            || properties.Fields().Any(static one => IsOpen(one.Value))
            || schema.Field("$defs"u8).Fields().Any(static one => IsOpen(one.Value))
            || schema.Field("definitions"u8).Fields().Any(static one => IsOpen(one.Value))
            || IsOpen(schema.Field("items"u8)) || IsOpen(schema.Field("anyOf"u8)) || IsOpen(schema.Field("allOf"u8)) || IsOpen(schema.Field("oneOf"u8));
    }

    /// <summary>Whether it says of itself that it is an object's.</summary>
    public static bool IsObject(JsonElement schema)
    {
        var type = schema.Field("type"u8);
        return type.Is("object"u8) || type.Items().Any(static one => one.Is("object"u8)) || (!type.Given() && schema.Field("properties"u8).Given());
    }

    private void Write(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            writer.WriteCopy(schema);
            return;
        }

        var lost = new List<JsonProperty>();
        writer.WriteStartObject();
        foreach (var keyword in schema.EnumerateObject())
        {
            if (!TryWrite(keyword, schema))
            {
                lost.Add(keyword);
            }
        }

        if (IsObject(schema))
        {
            if (!schema.Field("type"u8).Given())
            {
                writer.WriteString("type"u8, "object"u8);
            }

            writer.WriteBoolean("additionalProperties"u8, false);
        }

        WriteDescription(schema.Field("description"u8), lost);
        writer.WriteEndObject();
    }

    /// <summary>Writes a keyword that Claude is held to; false when it must be told otherwise.</summary>
    private bool TryWrite(JsonProperty keyword, JsonElement schema)
    {
        var value = keyword.Value;
        switch (keyword.Name)
        {
            case "properties" or "$defs" or "definitions" when value.ValueKind == JsonValueKind.Object:
                writer.WriteStartObject(keyword.Name);
                foreach (var one in value.EnumerateObject())
                {
                    writer.WritePropertyName(one.Name);
                    Write(one.Value);
                }

                writer.WriteEndObject();
                return true;
            case "items" when value.ValueKind == JsonValueKind.Object:
                writer.WritePropertyName("items"u8);
                Write(value);
                return true;
            case "anyOf" or "allOf" when value.ValueKind == JsonValueKind.Array:
                WriteAll(keyword.Name, value);
                return true;
            case "oneOf" when value.ValueKind == JsonValueKind.Array && !schema.Field("anyOf"u8).Given():
                dropped.Add($"{name}.oneOf");
                WriteAll("anyOf", value);
                return true;
            case "additionalProperties":
                return value.ValueKind == JsonValueKind.False;
        }

        var copies = keyword.Name switch
        {
            "format" => Formats.Contains(value.Text() ?? ""),
            "minItems" => value.Int() is 0 or 1,
            "pattern" => value.Text() is { } pattern && !BeyondPlainPatterns().IsMatch(pattern),
            var other => Copied.Contains(other),
        };
        if (copies)
        {
            writer.WriteCopy(keyword);
        }

        return copies || OfTheSchema.Contains(keyword.Name);
    }

    private void WriteAll(string keyword, JsonElement schemas)
    {
        writer.WriteStartArray(keyword);
        foreach (var one in schemas.EnumerateArray())
        {
            Write(one);
        }

        writer.WriteEndArray();
    }

    private void WriteDescription(JsonElement description, List<JsonProperty> lost)
    {
        if (lost.Count == 0)
        {
            if (description.Given())
            {
                writer.WriteCopy("description"u8, description);
            }

            return;
        }

        var text = new StringBuilder(description.Text());
        text.Append(text.Length > 0 ? "\n\n{" : "{").AppendJoin(", ", lost.Select(static keyword => $"{keyword.Name}: {keyword.Value.GetRawText()}")).Append('}');
        writer.WriteString("description"u8, text.ToString());
        foreach (var keyword in lost)
        {
            dropped.Add($"{name}.{keyword.Name}");
        }
    }

    // What looks around or back, and the edges of words.
    [GeneratedRegex(@"\(\?[^:]|\\[bBk1-9]", RegexOptions.CultureInvariant)]
    private static partial Regex BeyondPlainPatterns();
}
