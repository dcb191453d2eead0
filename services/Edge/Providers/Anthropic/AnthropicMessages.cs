using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// Writes <c>messages</c> and <c>system</c>. OpenAI has a message for each speaker and tool; Anthropic has two roles that take turns, with
/// blocks inside: what follows in the same role is put into one message, tool results among it.
/// </summary>
internal sealed class AnthropicMessages
{
    private readonly Utf8JsonWriter writer;
    private readonly DroppedFields dropped;
    private string? openRole;
    private bool anyMessage;

    private AnthropicMessages(Utf8JsonWriter writer, DroppedFields dropped)
    {
        this.writer = writer;
        this.dropped = dropped;
    }

    /// <summary>Writes both members.</summary>
    public static void Write(JsonElement messages, Utf8JsonWriter writer, DroppedFields dropped)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new UntranslatableRequestException("messages must be an array with at least one message.", "messages");
        }

        new AnthropicMessages(writer, dropped).Write(messages);
    }

    /// <summary>Whether the last turn of the model called a tool and carries no thinking: a model that is to think refuses to go on from it.</summary>
    public static bool LastToolCallLacksThinking(JsonElement messages)
    {
        var last = messages.Items().LastOrDefault(message => message.Field("role"u8).Is("assistant"u8));
        return last.Field("tool_calls"u8).Items().Any() && !last.Field("thinking_blocks"u8).Items().Any();
    }

    private void Write(JsonElement messages)
    {
        var onlySystem = messages.EnumerateArray().All(IsSystem);
        var last = messages.GetArrayLength() - 1;
        writer.WriteStartArray("messages"u8);
        for (var i = 0; i <= last; i++)
        {
            var message = messages[i];
            if (message.Field("name"u8).Given() && !message.Field("role"u8).Is("tool"u8))
            {
                dropped.Add("messages.name");
            }

            switch (message.Field("role"u8).Text())
            {
                case "user":
                    WriteUser(message);
                    break;
                case "assistant":
                    WriteAssistant(message, isLast: i == last);
                    break;
                case "tool":
                    WriteToolResult(message);
                    break;
                case "system" or "developer":
                    // Anthropic needs one message; a request of instructions alone is asked as a question.
                    if (onlySystem)
                    {
                        WriteUser(message);
                    }

                    break;
                default:
                    throw new UntranslatableRequestException(
                        $"messages[{i}].role must be system, developer, user, assistant or tool.", string.Create(CultureInfo.InvariantCulture, $"messages[{i}].role"));
            }
        }

        Close();
        writer.WriteEndArray();
        if (!anyMessage)
        {
            throw new UntranslatableRequestException("Anthropic needs at least one message that is not empty.", "messages");
        }

        if (!onlySystem)
        {
            WriteSystem(messages);
        }
    }

    private static bool IsSystem(JsonElement message) => message.Field("role"u8).Is("system"u8) || message.Field("role"u8).Is("developer"u8);

    /// <summary>All instructions, wherever they stood: Anthropic has one place for them.</summary>
    private void WriteSystem(JsonElement messages)
    {
        var begun = false;
        foreach (var message in messages.EnumerateArray().Where(IsSystem))
        {
            foreach (var (text, cache) in Texts(message))
            {
                if (!begun)
                {
                    begun = true;
                    writer.WriteStartArray("system"u8);
                }

                WriteText(text, cache);
            }
        }

        if (begun)
        {
            writer.WriteEndArray();
        }
    }

    private static IEnumerable<(JsonElement Text, JsonElement Cache)> Texts(JsonElement message)
    {
        var content = message.Field("content"u8);
        var cache = message.Field("cache_control"u8);
        if (content.ValueKind == JsonValueKind.String && !IsBlank(content))
        {
            yield return (content, cache);
        }

        var count = content.ValueKind == JsonValueKind.Array ? content.GetArrayLength() : 0;
        for (var i = 0; i < count; i++)
        {
            var text = content[i].Field("text"u8);
            if (!IsBlank(text))
            {
                var own = content[i].Field("cache_control"u8);
                yield return (text, own.Given() ? own : i == count - 1 ? cache : default);
            }
        }
    }

    private void WriteUser(JsonElement message)
    {
        var content = message.Field("content"u8);
        var cache = message.Field("cache_control"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            if (!IsBlank(content))
            {
                Open("user");
                WriteText(content, cache);
            }

            return;
        }

        var count = content.ValueKind == JsonValueKind.Array ? content.GetArrayLength() : 0;
        for (var i = 0; i < count; i++)
        {
            var part = content[i];
            if (part.Field("type"u8).Is("text"u8) && IsBlank(part.Field("text"u8)))
            {
                continue;
            }

            Open("user");
            WritePart(part, i == count - 1 ? cache : default);
        }
    }

    private void WriteAssistant(JsonElement message, bool isLast)
    {
        // An answer cannot come first: Anthropic's conversations begin with the user.
        if (!anyMessage && openRole is null)
        {
            Open("user");
            WriteText("."u8, default);
        }

        foreach (var block in message.Field("thinking_blocks"u8).Items())
        {
            Open("assistant");
            writer.WriteCopy(block);
        }

        if (message.Field("reasoning_content"u8) is { ValueKind: JsonValueKind.String } && !message.Field("thinking_blocks"u8).Items().Any())
        {
            // Without its signature Anthropic takes no thinking back.
            dropped.Add("messages.reasoning_content");
        }

        var hasToolCalls = message.Field("tool_calls"u8).Items().Any();
        var content = message.Field("content"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            WriteAnswer(content, message.Field("cache_control"u8), isLast && !hasToolCalls);
        }

        foreach (var part in content.Items())
        {
            var type = part.Field("type"u8);
            if (type.Is("text"u8) || type.Is("refusal"u8))
            {
                WriteAnswer(type.Is("text"u8) ? part.Field("text"u8) : part.Field("refusal"u8), part.Field("cache_control"u8), isLast && !hasToolCalls);
            }
            else
            {
                Open("assistant");
                writer.WriteCopy(part);
            }
        }

        WriteAnswer(message.Field("refusal"u8), default, isLast);
        if (message.Field("function_call"u8).Given())
        {
            throw new UntranslatableRequestException("function_call is only served by OpenAI's own models: use tool_calls.", "messages.function_call");
        }

        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            WriteToolUse(call);
        }
    }

    private void WriteAnswer(JsonElement text, JsonElement cache, bool isLast)
    {
        if (IsBlank(text))
        {
            return;
        }

        Open("assistant");
        if (isLast && text.Text() is { } words && words.TrimEnd().Length < words.Length)
        {
            // The beginning of an answer that the model is to go on with must not end in white space.
            WriteText(Encoding.UTF8.GetBytes(words.TrimEnd()), cache);
            return;
        }

        WriteText(text, cache);
    }

    private void WriteToolUse(JsonElement call)
    {
        var function = call.Field("function"u8);
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Each tool call needs a function with a name.", "messages.tool_calls");
        }

        Open("assistant");
        writer.WriteStartObject();
        writer.WriteString("type"u8, "tool_use"u8);
        writer.WriteString("id"u8, ToolId(call.Field("id"u8)));
        writer.WriteCopy("name"u8, function.Field("name"u8));
        ChatRequest.WriteArguments(writer, "input"u8, function.Field("arguments"u8), dropped);
        if (call.Field("cache_control"u8) is { ValueKind: JsonValueKind.Object } cache)
        {
            writer.WriteCopy("cache_control"u8, cache);
        }

        writer.WriteEndObject();
    }

    private void WriteToolResult(JsonElement message)
    {
        Open("user");
        writer.WriteStartObject();
        writer.WriteString("type"u8, "tool_result"u8);
        writer.WriteString("tool_use_id"u8, ToolId(message.Field("tool_call_id"u8)));
        var content = message.Field("content"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("content"u8, content);
        }
        else if (content.Items().Any())
        {
            writer.WriteStartArray("content"u8);
            foreach (var part in content.Items())
            {
                if (!part.Field("type"u8).Is("text"u8) || !IsBlank(part.Field("text"u8)))
                {
                    WritePart(part, default);
                }
            }

            writer.WriteEndArray();
        }

        if (message.Field("is_error"u8).ValueKind == JsonValueKind.True)
        {
            writer.WriteBoolean("is_error"u8, true);
        }

        if (message.Field("cache_control"u8) is { ValueKind: JsonValueKind.Object } cache)
        {
            writer.WriteCopy("cache_control"u8, cache);
        }

        writer.WriteEndObject();
    }

    private void WritePart(JsonElement part, JsonElement messageCache)
    {
        var own = part.Field("cache_control"u8);
        var cache = own.Given() ? own : messageCache;
        switch (part.Field("type"u8).Text())
        {
            case "text":
                WriteText(part.Field("text"u8), cache);
                break;
            case "image_url":
                var image = part.Field("image_url"u8);
                dropped.AddDetailOf(image);
                WriteAttachment("image", Attachment.From(image.Text() ?? image.Field("url"u8).Text()), null, cache);
                break;
            case "file":
                WriteFile(part.Field("file"u8), cache);
                break;
            case "image" or "document" or "search_result" or "tool_result" or "container_upload":
                // Already in Anthropic's form.
                writer.WriteCopy(part);
                break;
            case var other:
                throw new UntranslatableRequestException($"Anthropic takes no content of type '{other}'.", "messages.content");
        }
    }

    private void WriteFile(JsonElement file, JsonElement cache)
    {
        if (file.Field("file_id"u8) is { ValueKind: JsonValueKind.String } id)
        {
            BeginBlock("document");
            writer.WriteString("type"u8, "file"u8);
            writer.WriteCopy("file_id"u8, id);
            EndBlock(file.Field("filename"u8), cache);
            return;
        }

        var data = file.Field("file_data"u8).Text();
        var attachment = data is not null && !data.Contains(':', StringComparison.Ordinal)
            ? new Attachment("application/pdf", data, null)
            : Attachment.From(data);
        WriteAttachment(attachment?.MediaType?.StartsWith("image/", StringComparison.Ordinal) == true ? "image" : "document", attachment, file.Field("filename"u8), cache);
    }

    private void WriteAttachment(string block, Attachment? attachment, JsonElement? title, JsonElement cache)
    {
        if (attachment is not { } given)
        {
            throw new UntranslatableRequestException($"The {block}'s address must be a URL, or data: with its type and its bytes.", "messages.content");
        }

        BeginBlock(block);
        if (given.Url is not null)
        {
            writer.WriteString("type"u8, "url"u8);
            writer.WriteString("url"u8, given.Url);
        }
        else if (block == "document" && given.MediaType!.StartsWith("text/", StringComparison.Ordinal))
        {
            writer.WriteString("type"u8, "text"u8);
            writer.WriteString("media_type"u8, "text/plain"u8);
            writer.WriteString("data"u8, DecodeText(given.Base64!));
        }
        else
        {
            writer.WriteString("type"u8, "base64"u8);
            writer.WriteString("media_type"u8, given.MediaType);
            writer.WriteString("data"u8, given.Base64);
        }

        EndBlock(title ?? default, cache);
    }

    private static byte[] DecodeText(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            throw new UntranslatableRequestException("The file's bytes are not valid base64.", "messages.content");
        }
    }

    private void BeginBlock(string type)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteStartObject("source"u8);
    }

    private void EndBlock(JsonElement title, JsonElement cache)
    {
        writer.WriteEndObject();
        if (title.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("title"u8, title);
        }

        WriteCache(cache);
        writer.WriteEndObject();
    }

    private void WriteText(JsonElement text, JsonElement cache)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        writer.WriteCopy("text"u8, text);
        WriteCache(cache);
        writer.WriteEndObject();
    }

    private void WriteText(ReadOnlySpan<byte> text, JsonElement cache)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        writer.WriteString("text"u8, text);
        WriteCache(cache);
        writer.WriteEndObject();
    }

    private void WriteCache(JsonElement cache)
    {
        if (cache.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("cache_control"u8, cache);
        }
    }

    /// <summary>Anthropic refuses a text block that is empty or white space.</summary>
    private static bool IsBlank(JsonElement text) => text.ValueKind != JsonValueKind.String || (text.RawText().Length < 256 && string.IsNullOrWhiteSpace(text.Text() ?? "?"));

    /// <summary>Anthropic's ids are letters, digits, underscores and hyphens; other protocols' may have more.</summary>
    private static string ToolId(JsonElement id)
    {
        var text = id.Text() ?? throw new UntranslatableRequestException("A tool call and its result need an id.", "messages.tool_call_id");
        return string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(source[i]) || source[i] is '_' or '-' ? source[i] : '_';
            }
        });
    }

    private void Open(string role)
    {
        if (openRole == role)
        {
            return;
        }

        Close();
        openRole = role;
        anyMessage = true;
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteStartArray("content"u8);
    }

    private void Close()
    {
        if (openRole is not null)
        {
            writer.WriteEndArray();
            writer.WriteEndObject();
            openRole = null;
        }
    }
}
