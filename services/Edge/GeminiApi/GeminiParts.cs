using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.GeminiApi;

/// <summary>Says the parts of a content in OpenAI's words: text, pictures, sound, files.</summary>
internal sealed class GeminiParts(DroppedFields dropped, Utf8JsonWriter json)
{
    /// <summary>What a part may be; whatever else stands in one only says more of it.</summary>
    private static readonly HashSet<string> Kinds =
        ["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse", "audioTranscription"];

    /// <summary>The parts of a content.</summary>
    /// <exception cref="UntranslatableRequestException">It has none.</exception>
    public static IEnumerable<JsonElement> Of(JsonElement content)
    {
        var parts = content.Field("parts"u8);
        var all = parts.ValueKind == JsonValueKind.Object ? [parts] : parts.Items().ToArray();
        return all.Length > 0 && Array.TrueForAll(all, static part => part.ValueKind == JsonValueKind.Object)
            ? all
            : throw new UntranslatableRequestException("Each content needs a list of parts, and each part must be an object.", "contents.parts");
    }

    public static bool IsText(JsonElement part) => part.Field("text"u8).ValueKind == JsonValueKind.String;

    /// <summary>What a part is, in Google's word for it.</summary>
    public static string KindOf(JsonElement part) => part.Fields().Where(static field => field.Value.Given()).Select(static field => GeminiFields.Camel(field.Name)).FirstOrDefault(Kinds.Contains) ?? "";

    /// <summary>Texts as one text, with their bytes as they came.</summary>
    /// <param name="parts">The texts.</param>
    /// <param name="between">What stands between them, escaped for JSON.</param>
    public static EscapedText Joined(IReadOnlyList<JsonElement> parts, ReadOnlySpan<byte> between)
    {
        var text = new EscapedText();
        for (var at = 0; at < parts.Count; at++)
        {
            text.Add(at > 0 ? between : default);
            text.Add(parts[at].Field("text"u8).RawText());
        }

        return text;
    }

    /// <summary>Writes the member <c>content</c>: texts alone are one text.</summary>
    public void WriteContent(List<JsonElement> parts)
    {
        if (parts.TrueForAll(IsText))
        {
            parts.ForEach(NameMore);
            Joined(parts, "\\n"u8).Write(json, "content"u8);
            return;
        }

        json.WriteStartArray("content"u8);
        parts.ForEach(Write);
        json.WriteEndArray();
    }

    /// <summary>Writes a part.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public void Write(JsonElement part)
    {
        NameMore(part);
        json.WriteStartObject();
        switch (KindOf(part))
        {
            case "text":
                json.WriteString("type"u8, "text"u8);
                json.WriteCopy("text"u8, part.Field("text"u8));
                break;

            case "inlineData":
                WriteBytes(part.Named("inlineData"));
                break;

            case "fileData":
                WriteAddress(part.Named("fileData"));
                break;

            case var kind:
                throw new UntranslatableRequestException(kind.Length == 0 ? "A part has nothing in it." : $"A part of {kind} cannot be said to this model.", "contents.parts");
        }

        json.WriteEndObject();
    }

    private void WriteBytes(JsonElement bytes)
    {
        var type = bytes.Named("mimeType").Text() ?? "";
        var data = bytes.Field("data"u8).Text() ?? throw new UntranslatableRequestException("Bytes need data in base64 and their mimeType.", "contents.parts.inlineData");
        switch (type.Split('/')[0])
        {
            case "image":
                WritePicture($"data:{type};base64,{data}");
                break;

            case "audio":
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteStartObject("input_audio"u8);
                json.WriteString("data"u8, data);
                json.WriteString("format"u8, SoundOf(type));
                json.WriteEndObject();
                break;

            case "application" or "text":
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.WriteString("filename"u8, bytes.Named("displayName").Text() ?? (type == "application/pdf" ? "document.pdf" : "document"));
                json.WriteString("file_data"u8, $"data:{type};base64,{data}");
                json.WriteEndObject();
                break;

            default:
                throw new UntranslatableRequestException($"Bytes of type '{type}' cannot be said to this model: send a picture, sound or a document.", "contents.parts.inlineData");
        }
    }

    private void WriteAddress(JsonElement file)
    {
        var address = file.Named("fileUri").Text() ?? "";
        var type = file.Named("mimeType").Text();
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.EndsWith(".googleapis.com", StringComparison.OrdinalIgnoreCase))
        {
            throw new UntranslatableRequestException("That file lies at Google, and this model is not Google's: send its bytes in inlineData.", "contents.parts.fileData");
        }

        if (type?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == false)
        {
            throw new UntranslatableRequestException($"A file of type '{type}' cannot be said by its address: send its bytes in inlineData.", "contents.parts.fileData");
        }

        WritePicture(address);
    }

    private void WritePicture(string address)
    {
        json.WriteString("type"u8, "image_url"u8);
        json.WriteStartObject("image_url"u8);
        json.WriteString("url"u8, address);
        json.WriteEndObject();
    }

    private static string SoundOf(string type) => type.Split(';')[0].ToLowerInvariant().Split('/', 2) switch
    {
        [_, "mpeg" or "mp3"] => "mp3",
        [_, "wav" or "x-wav" or "wave"] => "wav",
        [_, var other] => other,
        _ => throw new UntranslatableRequestException("Sound needs its whole mimeType, such as audio/wav.", "contents.parts.inlineData"),
    };

    /// <summary>Names what a part says besides, such as how closely a picture is to be looked at.</summary>
    private void NameMore(JsonElement part)
    {
        var kind = KindOf(part);
        foreach (var field in part.Fields().Where(field => field.Value.Given() && GeminiFields.Camel(field.Name) is var name && name != kind && name is not ("thought" or "thoughtSignature")))
        {
            dropped.AddAdvice("contents.parts." + field.Name);
        }
    }
}
