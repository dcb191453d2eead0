using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>The parts of a message in Anthropic's words: texts, pictures, files, and marks of what to cache.</summary>
internal sealed class AnthropicContent(Utf8JsonWriter writer, DroppedFields dropped)
{
    /// <summary>Writes one part.</summary>
    /// <param name="part">The part, in OpenAI's words or in Anthropic's.</param>
    /// <param name="messageCache">The cache mark of its message, for a part without its own.</param>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public void Write(JsonElement part, JsonElement messageCache)
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
            var isPicture = IsPicture(file);
            BeginBlock(isPicture ? "image" : "document");
            writer.WriteString("type"u8, "file"u8);
            writer.WriteCopy("file_id"u8, id);
            EndBlock(isPicture ? default : file.Field("filename"u8), cache);
            return;
        }

        var attachment = Attachment.OfFile(file.Field("file_data"u8).Text());
        var shown = attachment?.MediaType?.StartsWith("image/", StringComparison.Ordinal) == true;

        // A picture has no title.
        WriteAttachment(shown ? "image" : "document", attachment, shown ? null : file.Field("filename"u8), cache);
    }

    /// <summary>An id does not tell what it is of: the caller's type or the name does.</summary>
    private static bool IsPicture(JsonElement file) =>
        file.Field("format"u8).Text()?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true ||
        Path.GetExtension(file.Field("filename"u8).Text())?.ToUpperInvariant() is ".PNG" or ".JPG" or ".JPEG" or ".GIF" or ".WEBP";

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

    public void WriteText(JsonElement text, JsonElement cache)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        writer.WriteCopy("text"u8, text);
        WriteCache(cache);
        writer.WriteEndObject();
    }

    public void WriteText(ReadOnlySpan<byte> text, JsonElement cache)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        writer.WriteString("text"u8, text);
        WriteCache(cache);
        writer.WriteEndObject();
    }

    public void WriteCache(JsonElement cache)
    {
        if (cache.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("cache_control"u8, cache);
        }
    }

    /// <summary>Anthropic refuses a text block that is empty or white space.</summary>
    public static bool IsBlank(JsonElement text) => text.ValueKind != JsonValueKind.String || (text.RawText().Length < 256 && string.IsNullOrWhiteSpace(text.Text() ?? "?"));

    /// <summary>Whether a part has something to say: it is no text and no refusal, or one that is not blank.</summary>
    public static bool IsSaid(JsonElement part) =>
        part.Field("type"u8) is var type && type.Is("text"u8) ? !IsBlank(part.Field("text"u8)) : !type.Is("refusal"u8) || !IsBlank(part.Field("refusal"u8));
}
