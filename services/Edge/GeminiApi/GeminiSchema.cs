using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// Google's own form of a schema, a part of OpenAPI 3.0's, as a JSON schema: types in small letters, <c>nullable</c> as a type of its own,
/// bounds as numbers, properties in the order that they are wanted in. Format: https://ai.google.dev/api/caching#Schema.
/// </summary>
internal static class GeminiSchema
{
    public static void Write(Utf8JsonWriter json, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            json.WriteCopy(schema);
            return;
        }

        var isNullable = schema.Field("nullable"u8).ValueKind == JsonValueKind.True;
        json.WriteStartObject();
        foreach (var field in schema.Fields().Where(static field => field.Value.Given()))
        {
            switch (GeminiFields.Camel(field.Name))
            {
                case "nullable" or "propertyOrdering":
                    break;

                case "type":
                    WriteType(json, field.Value, isNullable);
                    break;

                case "properties":
                    json.WriteStartObject("properties"u8);
                    foreach (var property in Ordered(field.Value, schema.Named("propertyOrdering")))
                    {
                        json.WritePropertyName(property.Name);
                        Write(json, property.Value);
                    }

                    json.WriteEndObject();
                    break;

                case ("items" or "additionalProperties") and var name:
                    json.WritePropertyName(name);
                    Write(json, field.Value);
                    break;

                case ("anyOf" or "prefixItems") and var name:
                    json.WriteStartArray(name);
                    foreach (var one in field.Value.Items())
                    {
                        Write(json, one);
                    }

                    if (name == "anyOf" && isNullable)
                    {
                        json.WriteRawValue("""{"type":"null"}"""u8, skipInputValidation: true);
                    }

                    json.WriteEndArray();
                    break;

                case "enum" when isNullable:
                    json.WriteStartArray("enum"u8);
                    foreach (var one in field.Value.Items())
                    {
                        json.WriteCopy(one);
                    }

                    json.WriteNullValue();
                    json.WriteEndArray();
                    break;

                case ("minItems" or "maxItems" or "minLength" or "maxLength" or "minProperties" or "maxProperties") and var name:
                    json.WriteNumber(name, field.Value.Count());
                    break;

                case "example":
                    json.WriteStartArray("examples"u8);
                    json.WriteCopy(field.Value);
                    json.WriteEndArray();
                    break;

                case var name:
                    json.WritePropertyName(name);
                    json.WriteCopy(field.Value);
                    break;
            }
        }

        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, JsonElement type, bool isNullable)
    {
        if (type.Text()?.ToLowerInvariant() is not { } name)
        {
            json.WriteCopy("type"u8, type);
        }
        else if (name == "type_unspecified")
        {
            // As good as none.
        }
        else if (isNullable)
        {
            json.WriteStartArray("type"u8);
            json.WriteStringValue(name);
            json.WriteStringValue("null"u8);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("type"u8, name);
        }
    }

    private static IEnumerable<JsonProperty> Ordered(JsonElement properties, JsonElement order)
    {
        var places = order.Items().Select(static name => name.Text()).ToList();
        return properties.Fields().OrderBy(property => places.IndexOf(property.Name) is >= 0 and var place ? place : int.MaxValue);
    }
}
