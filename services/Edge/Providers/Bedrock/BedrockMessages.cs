using System.Text.Json;
using Gateway.Edge.Providers.Anthropic;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Writes Converse's <c>messages</c> and <c>system</c>: two roles that take turns, tool results among the user's blocks.</summary>
internal sealed class BedrockMessages
{
    // Bedrock refuses longer ids of tool calls, and most characters in them.
    private const int ToolIdLengthMax = 64;

    // Leaves room for a number behind it.
    private const int NameLengthMax = 180;

    private readonly Utf8JsonWriter writer;
    private readonly DroppedFields dropped;
    private readonly ToolIds ids = new(ToolIdLengthMax);
    private string? openRole;
    private bool any;
    private int documents;

    // Of the turn that is open: Converse refuses a document without a word beside it.
    private bool hasDocument;
    private bool hasText;

    private BedrockMessages(Utf8JsonWriter writer, DroppedFields dropped)
    {
        this.writer = writer;
        this.dropped = dropped;
    }

    /// <summary>Writes both members.</summary>
    public static void Write(JsonElement messages, Utf8JsonWriter writer, DroppedFields dropped)
    {
        ChatRequest.RefuseNoMessages(messages);
        new BedrockMessages(writer, dropped).Write(messages);
    }

    /// <summary>Marks that what stands before is to be cached.</summary>
    public static void WriteCachePoint(Utf8JsonWriter writer, JsonElement cache)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("cachePoint"u8);
        writer.WriteString("type"u8, "default"u8);
        if (cache.Field("ttl"u8).ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("ttl"u8, cache.Field("ttl"u8));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void Write(JsonElement messages)
    {
        var onlySystem = messages.EnumerateArray().All(ChatRequest.IsSystem);
        writer.WriteStartArray("messages"u8);
        var left = messages.GetArrayLength();
        foreach (var message in messages.EnumerateArray())
        {
            left--;
            var role = message.Field("role"u8).Text();
            dropped.AddUnknownOf(message, knowsAnthropics: true);
            if (message.Field("name"u8).Given() && role != "tool")
            {
                dropped.Add("messages.name");
            }

            switch (role)
            {
                case "system" or "developer":
                    if (onlySystem)
                    {
                        WriteBlocks("user", message);
                    }

                    break;
                case "user":
                    WriteBlocks("user", message);
                    break;
                case "assistant":
                    WriteAssistant(message, isLast: left == 0);
                    break;
                case "tool":
                    WriteToolResult(message);
                    break;
                default:
                    throw new UntranslatableRequestException("A message's role must be system, developer, user, assistant or tool.", "messages.role");
            }
        }

        Close();
        writer.WriteEndArray();
        if (!any)
        {
            throw new UntranslatableRequestException("Bedrock needs at least one message that is not empty.", "messages");
        }

        if (!onlySystem && messages.EnumerateArray().Any(ChatRequest.IsSystem))
        {
            writer.WriteStartArray("system"u8);
            foreach (var message in messages.EnumerateArray().Where(ChatRequest.IsSystem))
            {
                WriteBlocks(null, message);
            }

            writer.WriteEndArray();
        }
    }

    /// <summary>Writes a message's blocks into the turn of that role; null writes them where the writer stands.</summary>
    private void WriteBlocks(string? role, JsonElement message, bool trims = false)
    {
        var content = message.Field("content"u8);
        if (content.ValueKind == JsonValueKind.String && !AnthropicContent.IsBlank(content))
        {
            Open(role);
            WriteText(content, trims);
            WriteCache(message);
            hasText = true;
        }

        JsonElement[] said = [.. content.Items().Where(AnthropicContent.IsSaid)];
        foreach (var (at, part) in said.Index())
        {
            Open(role);
            var before = documents;
            WritePart(part, trims && at == said.Length - 1);
            WriteCache(part);
            hasText |= part.Field("type"u8).Is("text"u8);
            hasDocument |= documents > before;
        }

        if (said.Length > 0)
        {
            WriteCache(message);
        }
    }

    private void WriteAssistant(JsonElement message, bool isLast)
    {
        if (!any)
        {
            Open("user");
            writer.WriteRawValue("""{"text":"."}"""u8, skipInputValidation: true);
        }

        var thinking = message.Field("thinking_blocks"u8);
        foreach (var block in ThinkingBlocks.Read(thinking, dropped))
        {
            Open("assistant");
            WriteThinking(block);
        }

        if (ChatRequest.ThoughtsOf(message).ValueKind == JsonValueKind.String && !thinking.Items().Any())
        {
            dropped.AddAdvice("messages.reasoning_content");
        }

        // The beginning of an answer that the model is to go on with must not end in white space: what is said last is trimmed.
        var refusal = message.Field("refusal"u8);
        var goesOn = isLast && !message.Field("tool_calls"u8).Items().Any();
        WriteBlocks("assistant", message, trims: goesOn && AnthropicContent.IsBlank(refusal));
        if (!AnthropicContent.IsBlank(refusal))
        {
            Open("assistant");
            WriteText(refusal, goesOn);
        }

        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            var function = call.Field("function"u8);
            if (function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs a function with a name.", "messages.tool_calls");
            }

            Open("assistant");
            writer.WriteStartObject();
            writer.WriteStartObject("toolUse"u8);
            writer.WriteString("toolUseId"u8, ids.OfCall(call.Field("id"u8).Text()));
            writer.WriteCopy("name"u8, function.Field("name"u8));
            ChatRequest.WriteArguments(writer, "input"u8, function.Field("arguments"u8), dropped);
            writer.WriteEndObject();
            writer.WriteEndObject();
            WriteCache(call);
        }
    }

    private void WriteThinking(in ThinkingBlock block)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("reasoningContent"u8);
        if (block.Redacted.Given())
        {
            writer.WriteCopy("redactedContent"u8, block.Redacted);
        }
        else
        {
            writer.WriteStartObject("reasoningText"u8);
            block.WriteText(writer, "text"u8);
            writer.WriteCopy("signature"u8, block.Signature);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteToolResult(JsonElement message)
    {
        Open("user");
        writer.WriteStartObject();
        writer.WriteStartObject("toolResult"u8);
        writer.WriteString("toolUseId"u8, ids.OfResult(message.Field("tool_call_id"u8).Text()));
        writer.WriteStartArray("content"u8);
        var content = message.Field("content"u8);
        var said = content.Items().Where(AnthropicContent.IsSaid).ToList();
        if (!AnthropicContent.IsBlank(content))
        {
            WriteText(content);
        }
        else if (said.Count == 0)
        {
            // Claude refuses a text of nothing here, too, and the call wants its result.
            writer.WriteRawValue("""{"text":"."}"""u8, skipInputValidation: true);
        }

        foreach (var part in said)
        {
            WritePart(part);
        }

        writer.WriteEndArray();
        if (message.Field("is_error"u8).ValueKind == JsonValueKind.True)
        {
            writer.WriteString("status"u8, "error"u8);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();

        // A mark on a part of the result stands after the result: inside there is no place for it.
        WriteCache(message.Field("cache_control"u8).Given() ? message : content.Items().LastOrDefault(static part => part.Field("cache_control"u8).Given()));
    }

    private void WritePart(JsonElement part, bool trims = false)
    {
        switch (part.Field("type"u8).Text())
        {
            case "text":
                WriteText(part.Field("text"u8), trims);
                break;
            case "refusal":
                WriteText(part.Field("refusal"u8), trims);
                break;
            case "image_url":
                var image = part.Field("image_url"u8);
                dropped.AddDetailOf(image);
                WriteBytes("image", Attachment.From(image.Text() ?? image.Field("url"u8).Text()), null);
                break;
            case "file":
                var file = part.Field("file"u8);
                WriteBytes("document", Attachment.OfFile(file.Field("file_data"u8).Text()), file.Field("filename"u8).Text());
                break;
            case var other:
                throw new UntranslatableRequestException($"Bedrock takes no content of type '{other}'.", "messages.content");
        }
    }

    private void WriteBytes(string block, Attachment? attachment, string? name)
    {
        if (attachment is not { Base64: { } bytes, MediaType: { } type })
        {
            throw new UntranslatableRequestException("Bedrock fetches nothing: send pictures and files as data: addresses.", "messages.content");
        }

        if (type.StartsWith("image/", StringComparison.Ordinal))
        {
            block = "image";
        }

        writer.WriteStartObject();
        writer.WriteStartObject(block);
        writer.WriteString("format"u8, FormatOf(type, name));
        if (block == "document")
        {
            writer.WriteString("name"u8, NameOf(name));
        }

        writer.WriteStartObject("source"u8);
        writer.WriteString("bytes"u8, bytes);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string FormatOf(string mediaType, string? name) => mediaType switch
    {
        "image/jpg" or "image/jpeg" => "jpeg",
        "text/markdown" => "md",
        "text/csv" or "text/html" => mediaType[5..],
        "application/json" => "txt",
        "application/octet-stream" when Path.GetExtension(name) is { Length: > 1 } extension => extension[1..].ToLowerInvariant(),
        _ when mediaType.StartsWith("text/", StringComparison.Ordinal) => "txt",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => mediaType[(mediaType.IndexOf('/', StringComparison.Ordinal) + 1)..],
    };

    /// <summary>Bedrock takes letters, digits, single spaces, hyphens and brackets, at most 200 of them, and no name twice.</summary>
    private string NameOf(string? name)
    {
        documents++;
        var plain = string.Concat((Path.GetFileNameWithoutExtension(name) ?? string.Empty).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '(' or ')'));
        plain = plain.Length > NameLengthMax ? plain[..NameLengthMax] : plain;
        return plain.Length == 0 ? $"document-{documents}" : documents == 1 ? plain : $"{plain}-{documents}";
    }

    private void WriteText(JsonElement text, bool trims = false)
    {
        if (text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("A text must be a string.", "messages.content");
        }

        writer.WriteStartObject();
        if (trims && text.Text() is { } words && words.TrimEnd() is var trimmed && trimmed.Length < words.Length)
        {
            writer.WriteString("text"u8, trimmed);
        }
        else
        {
            writer.WriteCopy("text"u8, text);
        }

        writer.WriteEndObject();
    }

    private void WriteCache(JsonElement holder)
    {
        if (holder.Field("cache_control"u8) is { ValueKind: JsonValueKind.Object } cache)
        {
            WriteCachePoint(writer, cache);
        }
    }

    private void Open(string? role)
    {
        if (role is null || openRole == role)
        {
            return;
        }

        Close();
        openRole = role;
        any = true;
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteStartArray("content"u8);
    }

    private void Close()
    {
        if (openRole is not null)
        {
            if (hasDocument && !hasText)
            {
                writer.WriteRawValue("""{"text":"."}"""u8, skipInputValidation: true);
            }

            hasDocument = hasText = false;
            writer.WriteEndArray();
            writer.WriteEndObject();
            openRole = null;
        }
    }
}
