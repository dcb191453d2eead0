using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.SampleProvider.Answers;

/// <summary>Makes a document that a JSON schema accepts: its required fields, with plain values. The same schema, the same document.</summary>
internal static class SchemaDocument
{
    // A schema that refers to itself ends here with null.
    private const int DepthMax = 16;
    private const int ItemsMax = 16;

    /// <param name="schema">The schema.</param>
    /// <param name="variant">0 for the first document, 1 for one that differs where the schema lets it.</param>
    public static string For(JsonElement schema, int variant = 0)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            new Document(schema, variant, writer).Value(schema, "value", 0);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private sealed class Document(JsonElement root, int variant, Utf8JsonWriter writer)
    {
        public void Value(JsonElement schema, string name, int depth)
        {
            if (depth > DepthMax || schema.ValueKind != JsonValueKind.Object)
            {
                Fallback(schema, name, depth);
            }
            else if (schema.TryGetProperty("$ref", out var reference) && Resolve(reference) is { } target)
            {
                Value(target, name, depth + 1);
            }
            else if (schema.TryGetProperty("const", out var constant))
            {
                constant.WriteTo(writer);
            }
            else if (schema.TryGetProperty("enum", out var choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0)
            {
                choices[variant % choices.GetArrayLength()].WriteTo(writer);
            }
            else if (Alternative(schema) is { } alternative)
            {
                Value(alternative, name, depth + 1);
            }
            else
            {
                OfType(schema, name, depth);
            }
        }

        private void OfType(JsonElement schema, string name, int depth)
        {
            switch (TypeOf(schema))
            {
                case "object": Object(schema, depth); break;
                case "array": Array(schema, name, depth); break;
                case "string": writer.WriteStringValue(Text(schema, name)); break;
                case "integer": writer.WriteNumberValue((long)Math.Ceiling(Number(schema))); break;
                case "number": writer.WriteNumberValue(Number(schema)); break;
                case "boolean": writer.WriteBooleanValue(true); break;
                default: writer.WriteNullValue(); break;
            }
        }

        private void Object(JsonElement schema, int depth)
        {
            writer.WriteStartObject();
            if (schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
            {
                schema.TryGetProperty("properties", out var properties);
                foreach (var field in required.EnumerateArray())
                {
                    if (field.ValueKind == JsonValueKind.String && field.GetString() is { } fieldName)
                    {
                        writer.WritePropertyName(fieldName);
                        var known = properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(fieldName, out var own);
                        Value(known ? properties.GetProperty(fieldName) : default, fieldName, depth + 1);
                    }
                }
            }

            writer.WriteEndObject();
        }

        private void Array(JsonElement schema, string name, int depth)
        {
            var least = schema.TryGetProperty("minItems", out var min) && min.TryGetInt32(out var number) ? Math.Clamp(number, 1, ItemsMax) : 1;
            var most = schema.TryGetProperty("maxItems", out var max) && max.TryGetInt32(out number) ? number : ItemsMax;
            writer.WriteStartArray();
            for (var i = 0; i < Math.Min(least, most) && depth < DepthMax; i++)
            {
                schema.TryGetProperty("items", out var items);
                Value(items, name, depth + 1);
            }

            writer.WriteEndArray();
        }

        private string Text(JsonElement schema, string name)
        {
            var format = schema.TryGetProperty("format", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
            var text = (format, name) switch
            {
                ("date", _) => "2026-01-15",
                ("time", _) => "12:30:00Z",
                ("date-time", _) => "2026-01-15T12:30:00Z",
                ("email", _) => "sample@example.com",
                ("uri" or "url", _) => "https://example.com/sample",
                ("uuid", _) => "5a3c7b1e-09d4-4f6a-8c2d-000000000001",
                (_, "location" or "city") => variant == 0 ? "Paris" : "Oslo",
                (_, "country") => variant == 0 ? "France" : "Norway",
                _ => variant == 0 ? $"sample {name}" : $"sample {name} {variant + 1}",
            };
            var least = schema.TryGetProperty("minLength", out var min) && min.TryGetInt32(out var number) ? Math.Min(number, 4096) : 0;
            var most = schema.TryGetProperty("maxLength", out var max) && max.TryGetInt32(out number) ? Math.Max(number, 0) : int.MaxValue;
            return text.Length > most ? text[..most] : text.PadRight(least, 'x');
        }

        private decimal Number(JsonElement schema)
        {
            decimal? Bound(string key) => schema.TryGetProperty(key, out var bound) && bound.ValueKind == JsonValueKind.Number
                && bound.TryGetDecimal(out var value) ? value : null;
            var least = Bound("minimum") ?? Bound("exclusiveMinimum") + 1;
            var most = Bound("maximum") ?? Bound("exclusiveMaximum") - 1;
            var number = Math.Max(1 + variant, least ?? decimal.MinValue);
            return most is { } limit && number > limit ? least ?? limit : number;
        }

        private void Fallback(JsonElement schema, string name, int depth)
        {
            if (depth <= DepthMax && schema.ValueKind is JsonValueKind.Undefined or JsonValueKind.True)
            {
                writer.WriteStringValue($"sample {name}");
            }
            else
            {
                writer.WriteNullValue();
            }
        }

        private static string? TypeOf(JsonElement schema)
        {
            if (!schema.TryGetProperty("type", out var type))
            {
                return schema.TryGetProperty("properties", out _) || schema.TryGetProperty("required", out _) ? "object"
                    : schema.TryGetProperty("items", out _) ? "array" : "string";
            }

            return type.ValueKind == JsonValueKind.Array
                ? type.EnumerateArray().Select(one => one.GetString()).FirstOrDefault(one => one != "null")
                : type.GetString();
        }

        private static JsonElement? Alternative(JsonElement schema)
        {
            foreach (var key in (ReadOnlySpan<string>)["anyOf", "oneOf", "allOf"])
            {
                if (schema.TryGetProperty(key, out var options) && options.ValueKind == JsonValueKind.Array && options.GetArrayLength() > 0)
                {
                    return options[0];
                }
            }

            return null;
        }

        private JsonElement? Resolve(JsonElement reference)
        {
            var path = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : "";
            if (!path.StartsWith('#'))
            {
                return null;
            }

            var found = root;
            foreach (var part in path[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(part, out found))
                {
                    return null;
                }
            }

            return found;
        }
    }
}
