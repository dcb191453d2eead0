using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.CohereApi;

/// <summary>Says Cohere's documents and messages in OpenAI's words. Documents are told as the system's, before all else.</summary>
internal sealed class CohereTurns(SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    /// <summary>Writes the member <c>messages</c>.</summary>
    public void Write(JsonElement request)
    {
        if (!request.Field("messages"u8).Items().Any())
        {
            throw new UntranslatableRequestException("The field messages must be a list with at least one message.", "messages");
        }

        json.WriteStartArray("messages"u8);
        WriteDocuments(request.Field("documents"u8));
        foreach (var message in request.Field("messages"u8).Items())
        {
            WriteMessage(message);
        }

        json.WriteEndArray();
    }

    private void WriteDocuments(JsonElement documents)
    {
        var texts = documents.Items().Select(TextOf).ToArray();
        if (texts.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            json.WriteString("content"u8, "Answer with the help of these documents.\n\n" + string.Join("\n\n", texts));
            json.WriteEndObject();
        }
    }

    private void WriteMessage(JsonElement message)
    {
        var role = ChatRole.Of(message);
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        if (role == "tool")
        {
            json.WriteString("tool_call_id"u8, message.Field("tool_call_id"u8).Text() ?? throw new UntranslatableRequestException("A tool's message needs the tool_call_id of its call.", "messages.tool_call_id"));
        }

        WriteContent(message.Field("content"u8));
        if (role == "assistant")
        {
            WriteThinking(message);
            if (message.Field("tool_calls"u8).Items().Any())
            {
                json.WriteCopy("tool_calls"u8, message.Field("tool_calls"u8));
            }

            if (message.Field("citations"u8).Items().Any())
            {
                dropped.AddAdvice("messages.citations");
            }
        }

        json.WriteEndObject();
    }

    /// <summary>Texts alone are one text; with pictures it is a list of parts.</summary>
    private void WriteContent(JsonElement content)
    {
        json.WritePropertyName("content"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            json.WriteCopy(content);
            return;
        }

        var parts = content.Items().Where(static part => !part.Field("type"u8).Is("thinking"u8)).ToArray();
        if (parts.Length == 0)
        {
            json.WriteNullValue();
        }
        else if (Array.TrueForAll(parts, static part => part.Field("type"u8).Is("text"u8)) && parts.Length == 1)
        {
            json.WriteCopy(parts[0].Field("text"u8));
        }
        else if (Array.TrueForAll(parts, static part => part.Field("type"u8).Is("text"u8) || part.Field("type"u8).Is("document"u8)))
        {
            json.WriteStringValue(string.Join("\n\n", parts.Select(TextOf)));
        }
        else
        {
            json.WriteStartArray();
            foreach (var part in parts)
            {
                WritePart(part);
            }

            json.WriteEndArray();
        }
    }

    private void WritePart(JsonElement part)
    {
        var type = part.Field("type"u8).Text();
        json.WriteStartObject();
        switch (type)
        {
            case "text" or "document":
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, TextOf(part));
                break;

            case "image_url":
                json.WriteString("type"u8, "image_url"u8);
                json.WriteCopy("image_url"u8, part.Field("image_url"u8));
                break;

            default:
                throw new UntranslatableRequestException($"A part of type '{type}' cannot be said to this model.", "messages.content");
        }

        json.WriteEndObject();
    }

    private void WriteThinking(JsonElement message)
    {
        var plan = message.Field("tool_plan"u8);
        var thoughts = message.Field("content"u8).Items().Select(static part => part.Field("thinking"u8)).Append(plan).Where(static text => !text.RawText().IsEmpty).ToArray();
        if (thoughts.Length == 0)
        {
            return;
        }

        if (target.TakesThoughts)
        {
            json.WriteString("reasoning_content"u8, string.Concat(thoughts.Select(static text => text.Text())));
        }
        else
        {
            dropped.AddAdvice(plan.RawText().IsEmpty ? "messages.content.thinking" : "messages.tool_plan");
        }
    }

    /// <summary>A text, a document that is a text, or one with fields: its id and each field, a line for each.</summary>
    private static string TextOf(JsonElement part)
    {
        if (part.Text() is { } text)
        {
            return text;
        }

        if (part.Field("text"u8).Text() is { } own)
        {
            return own;
        }

        var document = part.Field("document"u8).Given() ? part.Field("document"u8) : part;
        var data = document.Field("data"u8);
        var id = document.Field("id"u8).Text() is { } name ? [$"id: {name}"] : Array.Empty<string>();
        return data.Text() ?? string.Join('\n', id.Concat(data.Fields().Select(static field => $"{field.Name}: {field.Value.Text() ?? field.Value.GetRawText()}")));
    }
}
