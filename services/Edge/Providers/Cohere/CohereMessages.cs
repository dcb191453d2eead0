using System.Text.Json;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Writes <c>messages</c>: OpenAI's roles, with what the model thought as its plan for tools or as a part of what it said.</summary>
internal sealed class CohereMessages
{
    private readonly Utf8JsonWriter writer;
    private readonly DroppedFields dropped;

    private CohereMessages(Utf8JsonWriter writer, DroppedFields dropped)
    {
        this.writer = writer;
        this.dropped = dropped;
    }

    /// <summary>Writes <c>messages</c>.</summary>
    /// <exception cref="UntranslatableRequestException">They cannot be said.</exception>
    public static void Write(JsonElement messages, Utf8JsonWriter writer, DroppedFields dropped)
    {
        ChatRequest.RefuseNoMessages(messages);
        new CohereMessages(writer, dropped).Write(messages);
    }

    private void Write(JsonElement messages)
    {
        writer.WriteStartArray("messages"u8);
        foreach (var message in messages.EnumerateArray())
        {
            var role = message.Field("role"u8).Text();
            dropped.AddUnknownOf(message, knowsAnthropics: false);
            if (message.Field("name"u8).Given() && role != "tool")
            {
                dropped.Add("messages.name");
            }

            writer.WriteStartObject();
            switch (role)
            {
                case "system" or "developer":
                    writer.WriteString("role"u8, "system"u8);
                    WriteContent(message.Field("content"u8), default);
                    break;
                case "user":
                    writer.WriteString("role"u8, "user"u8);
                    WriteContent(message.Field("content"u8), default);
                    break;
                case "assistant":
                    WriteAssistant(message);
                    break;
                case "tool":
                    writer.WriteString("role"u8, "tool"u8);
                    if (message.Field("tool_call_id"u8).ValueKind == JsonValueKind.String)
                    {
                        writer.WriteCopy("tool_call_id"u8, message.Field("tool_call_id"u8));
                    }

                    if (message.Field("content"u8).Items().Any(static part => part.Field("type"u8).Is("image_url"u8)))
                    {
                        throw new UntranslatableRequestException("Cohere's tools answer in texts and documents: show a picture in a user's message.", "messages.content");
                    }

                    WriteContent(message.Field("content"u8), default);
                    break;
                default:
                    throw new UntranslatableRequestException("A message's role must be system, developer, user, assistant or tool.", "messages.role");
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteAssistant(JsonElement message)
    {
        writer.WriteString("role"u8, "assistant"u8);
        var calls = message.Field("tool_calls"u8).Items().ToList();
        var reasoning = ChatRequest.ThoughtsOf(message);
        if (reasoning.ValueKind == JsonValueKind.String && calls.Count > 0)
        {
            writer.WriteCopy("tool_plan"u8, reasoning);
            reasoning = default;
        }

        var content = ChatRequest.ContentOf(message);
        if (content.Given() || reasoning.ValueKind == JsonValueKind.String)
        {
            WriteContent(content, reasoning);
        }

        if (calls.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            var function = call.Field("function"u8);
            if (call.Field("id"u8).ValueKind != JsonValueKind.String || function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs an id and a function with a name.", "messages.tool_calls");
            }

            writer.WriteStartObject();
            writer.WriteCopy("id"u8, call.Field("id"u8));
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteCopy("name"u8, function.Field("name"u8));
            if (function.Field("arguments"u8).RawText().IsEmpty)
            {
                writer.WriteString("arguments"u8, "{}"u8);
            }
            else
            {
                writer.WriteCopy("arguments"u8, function.Field("arguments"u8));
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteContent(JsonElement content, JsonElement reasoning)
    {
        if (content.ValueKind == JsonValueKind.String && reasoning.ValueKind != JsonValueKind.String)
        {
            writer.WriteCopy("content"u8, content);
            return;
        }

        writer.WriteStartArray("content"u8);
        if (reasoning.ValueKind == JsonValueKind.String)
        {
            WriteText("thinking"u8, reasoning);
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            WriteText("text"u8, content);
        }

        foreach (var part in content.Items())
        {
            WritePart(part);
        }

        writer.WriteEndArray();
    }

    private void WritePart(JsonElement part)
    {
        var type = part.Field("type"u8);
        if (part.Field("cache_control"u8).Given())
        {
            dropped.AddAdvice("cache_control");
        }

        if (type.Is("text"u8) || type.Is("refusal"u8))
        {
            WriteText("text"u8, type.Is("text"u8) ? part.Field("text"u8) : part.Field("refusal"u8));
        }
        else if (type.Is("image_url"u8))
        {
            var image = part.Field("image_url"u8);
            writer.WriteStartObject();
            writer.WriteString("type"u8, "image_url"u8);
            writer.WritePropertyName("image_url"u8);
            if (image.ValueKind == JsonValueKind.Object)
            {
                writer.WriteCopy(image);
            }
            else
            {
                writer.WriteStartObject();
                writer.WriteString("url"u8, image.Text());
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }
        else if (type.Is("document"u8))
        {
            writer.WriteCopy(part);
        }
        else
        {
            throw new UntranslatableRequestException($"Cohere takes no content of type '{type.Text()}'.", "messages.content");
        }
    }

    private void WriteText(ReadOnlySpan<byte> type, JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("A text must be a string.", "messages.content");
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteCopy(type, text);
        writer.WriteEndObject();
    }
}
