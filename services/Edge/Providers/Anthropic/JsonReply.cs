using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>How a Claude model gives the JSON that was asked for, whoever serves it.</summary>
internal enum JsonReplyForm
{
    /// <summary>None was asked for.</summary>
    None,

    /// <summary>It holds to the schema by itself.</summary>
    Schema,

    /// <summary>Through <see cref="JsonReply.ToolName"/>.</summary>
    Tool,
}

/// <summary>The tool through which a model that cannot hold to what was asked gives JSON: its arguments are the answer, and the reply shows them as content.</summary>
internal static class JsonReply
{
    /// <summary>The tool's name.</summary>
    public static ReadOnlySpan<byte> ToolName => "gateway_json_reply"u8;

    /// <summary>The form for a request and a model. A schema with open objects is no model's own: Claude holds to closed ones alone.</summary>
    public static JsonReplyForm FormOf(JsonElement request, AnthropicModel model)
    {
        var format = request.Field("response_format"u8);
        if (format.Field("type"u8).Is("json_schema"u8))
        {
            var schema = format.Field("json_schema"u8).Field("schema"u8);
            return model.TakesSchema && schema.ValueKind == JsonValueKind.Object && !AnthropicSchema.IsOpen(schema) ? JsonReplyForm.Schema : JsonReplyForm.Tool;
        }

        return format.Field("type"u8).Is("json_object"u8) ? JsonReplyForm.Tool : JsonReplyForm.None;
    }

    /// <summary>The tool's description, as JSON.</summary>
    public static ReadOnlySpan<byte> Description(JsonElement request) =>
        request.Field("response_format"u8).Field("json_schema"u8).Field("description"u8) is { ValueKind: JsonValueKind.String } description
            ? description.Raw()
            : "\"Gives the answer to the user as JSON.\""u8;

    /// <summary>Writes the schema of the tool's arguments.</summary>
    public static void WriteSchema(JsonElement request, Utf8JsonWriter writer)
    {
        var schema = request.Field("response_format"u8).Field("json_schema"u8).Field("schema"u8);
        if (schema.ValueKind == JsonValueKind.Object)
        {
            AnthropicTools.WriteSchema(schema, writer);
        }
        else
        {
            writer.WriteRawValue("""{"type":"object","properties":{},"additionalProperties":true}"""u8, skipInputValidation: true);
        }
    }

    /// <summary>Which tools may be called when one must be, so that there is an answer.</summary>
    /// <param name="choice">The caller's choice.</param>
    /// <param name="ownTools">How many tools the caller has.</param>
    public static ToolChoice Force(ToolChoice choice, int ownTools) =>
        ownTools == 0 || choice.Mode is "none" ? new ToolChoice("named", System.Text.Encoding.ASCII.GetString(ToolName))
        : choice.Mode is null or "auto" ? new ToolChoice("required", null)
        : choice;
}
