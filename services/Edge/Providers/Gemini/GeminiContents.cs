using System.Text.Json;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>
/// Writes <c>contents</c> and <c>systemInstruction</c>. Google knows two roles, and a tool's result is a part of the user's turn that names
/// the tool.
/// </summary>
internal sealed class GeminiContents
{
    // Google's documented word for a call whose signature is not at hand: the caller's client has dropped it, or another model made the call.
    private const string NoSignature = "skip_thought_signature_validator";

    private readonly Utf8JsonWriter writer;
    private readonly DroppedFields dropped;
    private readonly bool needsSignatures;
    private readonly Dictionary<string, string> toolNames;
    private string? openRole;
    private bool any;

    private GeminiContents(Utf8JsonWriter writer, DroppedFields dropped, bool needsSignatures, Dictionary<string, string> toolNames)
    {
        this.writer = writer;
        this.dropped = dropped;
        this.needsSignatures = needsSignatures;
        this.toolNames = toolNames;
    }

    /// <summary>Writes both members.</summary>
    public static void Write(JsonElement messages, string model, Utf8JsonWriter writer, DroppedFields dropped)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new UntranslatableRequestException("messages must be an array with at least one message.", "messages");
        }

        new GeminiContents(writer, dropped, GeminiModel.TakesThinkingLevel(model), ChatRequest.ToolNamesById(messages)).Write(messages);
    }

    private static bool IsSystem(JsonElement message) => message.Field("role"u8).Is("system"u8) || message.Field("role"u8).Is("developer"u8);

    private void Write(JsonElement messages)
    {
        var onlySystem = messages.EnumerateArray().All(IsSystem);
        writer.WriteStartArray("contents"u8);
        foreach (var message in messages.EnumerateArray())
        {
            if (message.Field("name"u8).Given() && !message.Field("role"u8).Is("tool"u8))
            {
                dropped.Add("messages.name");
            }

            switch (message.Field("role"u8).Text())
            {
                case "system" or "developer":
                    if (onlySystem)
                    {
                        WriteContent("user", message.Field("content"u8));
                    }

                    break;
                case "user":
                    WriteContent("user", message.Field("content"u8));
                    break;
                case "assistant":
                    WriteAssistant(message);
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
            throw new UntranslatableRequestException("Gemini needs at least one message that is not empty.", "messages");
        }

        if (!onlySystem && messages.EnumerateArray().Any(IsSystem))
        {
            writer.WriteStartObject("systemInstruction"u8);
            writer.WriteStartArray("parts"u8);
            foreach (var message in messages.EnumerateArray().Where(IsSystem))
            {
                WriteParts(message.Field("content"u8));
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }
    }

    private void WriteContent(string role, JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String ? content.RawText().Length > 0 : content.Items().Any())
        {
            Open(role);
            WriteParts(content);
        }
    }

    private void WriteParts(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            WriteText(content);
        }

        foreach (var part in content.Items())
        {
            WritePart(part);
        }
    }

    private void WriteAssistant(JsonElement message)
    {
        WriteContent("model", message.Field("content"u8));
        if (message.Field("refusal"u8).ValueKind == JsonValueKind.String)
        {
            Open("model");
            WriteText(message.Field("refusal"u8));
        }

        if (message.Field("reasoning_content"u8).ValueKind == JsonValueKind.String)
        {
            // Google takes no thoughts back, only their signatures.
            dropped.Add("messages.reasoning_content");
        }

        var first = true;
        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            var function = call.Field("function"u8);
            if (function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs a function with a name.", "messages.tool_calls");
            }

            Open("model");
            writer.WriteStartObject();
            writer.WriteStartObject("functionCall"u8);
            writer.WriteCopy("name"u8, function.Field("name"u8));
            ChatRequest.WriteArguments(writer, "args"u8, function.Field("arguments"u8), dropped);
            writer.WriteEndObject();
            WriteSignature(call, first);
            writer.WriteEndObject();
            first = false;
        }
    }

    private void WriteSignature(JsonElement call, bool first)
    {
        var signature = call.Field("provider_specific_fields"u8).Field("thought_signature"u8);
        signature = signature.Given() ? signature : call.Field("extra_content"u8).Field("google"u8).Field("thought_signature"u8);
        if (signature.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("thoughtSignature"u8, signature);
        }
        else if (first && needsSignatures)
        {
            writer.WriteString("thoughtSignature"u8, NoSignature);
        }
    }

    private void WriteToolResult(JsonElement message)
    {
        var id = message.Field("tool_call_id"u8).Text();
        if (id is null || !toolNames.TryGetValue(id, out var name))
        {
            name = message.Field("name"u8).Text() ??
                throw new UntranslatableRequestException("A tool's result must name a tool call that stands before it.", "messages.tool_call_id");
        }

        Open("user");
        writer.WriteStartObject();
        writer.WriteStartObject("functionResponse"u8);
        writer.WriteString("name"u8, name);
        var content = message.Field("content"u8);
        writer.WritePropertyName("response"u8);
        if (content.ValueKind == JsonValueKind.String && ChatRequest.TryReadArguments(content, out var json) && !content.RawText().IsEmpty)
        {
            writer.WriteRawValue(json, skipInputValidation: true);
        }
        else
        {
            var text = new OpenAi.EscapedText();
            text.Add(content.RawText());
            foreach (var part in content.Items())
            {
                text.Add(part.Field("text"u8).RawText());
            }

            writer.WriteStartObject();
            text.Write(writer, "result"u8);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();

        // What is no text follows the result as a part of the same turn.
        foreach (var part in content.Items().Where(part => !part.Field("type"u8).Is("text"u8)))
        {
            WritePart(part);
        }
    }

    private void WritePart(JsonElement part)
    {
        if (part.Field("cache_control"u8).Given())
        {
            dropped.Add("cache_control");
        }

        switch (part.Field("type"u8).Text())
        {
            case "text":
                WriteText(part.Field("text"u8));
                break;
            case "refusal":
                WriteText(part.Field("refusal"u8));
                break;
            case "image_url":
                var image = part.Field("image_url"u8);
                dropped.AddDetailOf(image);
                WriteAttachment(Attachment.From(image.Text() ?? image.Field("url"u8).Text()), image.Field("format"u8).Text());
                break;
            case "input_audio":
                var audio = part.Field("input_audio"u8);
                WriteAttachment(new Attachment("audio/" + (audio.Field("format"u8).Text() ?? "wav"), audio.Field("data"u8).Text(), null), null);
                break;
            case "file":
                var file = part.Field("file"u8);
                var data = file.Field("file_data"u8).Text();
                WriteAttachment(
                    data is null ? new Attachment(null, null, file.Field("file_id"u8).Text())
                    : data.Contains(':', StringComparison.Ordinal) ? Attachment.From(data)
                    : new Attachment("application/pdf", data, null),
                    file.Field("format"u8).Text());
                break;
            case var other:
                throw new UntranslatableRequestException($"Gemini takes no content of type '{other}'.", "messages.content");
        }
    }

    private void WriteAttachment(Attachment? attachment, string? statedType)
    {
        if (attachment is not { } given || (given.Base64 ?? given.Url) is null)
        {
            throw new UntranslatableRequestException("A picture or a file needs a URL, or data: with its type and its bytes.", "messages.content");
        }

        writer.WriteStartObject();
        if (given.Url is not null)
        {
            writer.WriteStartObject("fileData"u8);
            if ((statedType ?? TypeOf(given.Url)) is { } type)
            {
                writer.WriteString("mimeType"u8, type);
            }

            writer.WriteString("fileUri"u8, given.Url);
        }
        else
        {
            writer.WriteStartObject("inlineData"u8);
            writer.WriteString("mimeType"u8, statedType ?? given.MediaType);
            writer.WriteString("data"u8, given.Base64);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Google wants to be told what an address holds; its ending says it.</summary>
    private static string? TypeOf(string url)
    {
        var end = url.IndexOfAny(['?', '#']);
        return Path.GetExtension(end < 0 ? url : url[..end]).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".jpg" or ".jpeg" => "image/jpeg",
            ".webp" => "image/webp",
            ".gif" => "image/gif",
            ".heic" => "image/heic",
            ".pdf" => "application/pdf",
            ".mp4" => "video/mp4",
            ".mp3" => "audio/mp3",
            ".wav" => "audio/wav",
            ".txt" => "text/plain",
            _ => null,
        };
    }

    private void WriteText(JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("A text must be a string.", "messages.content");
        }

        writer.WriteStartObject();
        writer.WriteCopy("text"u8, text);
        writer.WriteEndObject();
    }

    private void Open(string role)
    {
        if (openRole == role)
        {
            return;
        }

        Close();
        openRole = role;
        any = true;
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteStartArray("parts"u8);
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
