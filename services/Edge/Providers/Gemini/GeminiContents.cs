using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>
/// Writes <c>contents</c> and <c>systemInstruction</c>. Google knows two roles, and a tool's result is a part of the user's turn that names
/// the tool.
/// </summary>
internal sealed class GeminiContents
{
    /// <summary>Google's documented word for a call whose signature is not at hand: the caller's client has dropped it, or another model made the call.</summary>
    public const string NoSignature = "skip_thought_signature_validator";

    private readonly Utf8JsonWriter writer;
    private readonly DroppedFields dropped;
    private readonly string model;

    // The calls until here, by their ids: each with its tool's name and its place among them.
    private readonly Dictionary<string, (string Name, int Place)> calls = new(StringComparer.Ordinal);
    private string? openRole;
    private bool any;
    private int places;

    private GeminiContents(Utf8JsonWriter writer, DroppedFields dropped, string model)
    {
        this.writer = writer;
        this.dropped = dropped;
        this.model = model;
    }

    /// <summary>Writes both members.</summary>
    public static void Write(JsonElement messages, string model, Utf8JsonWriter writer, DroppedFields dropped)
    {
        ChatRequest.RefuseNoMessages(messages);
        new GeminiContents(writer, dropped, model).Write(messages);
    }

    private void Write(JsonElement messages)
    {
        var onlySystem = messages.EnumerateArray().All(ChatRequest.IsSystem);
        var instructions = onlySystem ? [] : messages.EnumerateArray().Where(ChatRequest.IsSystem).SelectMany(static message => PartsOf(message.Field("content"u8))).ToList();
        var results = new List<JsonElement>();
        writer.WriteStartArray("contents"u8);
        if (!GeminiModel.TakesInstructions(model))
        {
            WriteAsUser(instructions);
        }

        foreach (var message in messages.EnumerateArray())
        {
            dropped.AddUnknownOf(message, knowsAnthropics: false);
            if (message.Field("role"u8).Is("tool"u8))
            {
                results.Add(message);
                continue;
            }

            WriteToolResults(results);
            if (message.Field("name"u8).Given())
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
                default:
                    throw new UntranslatableRequestException("A message's role must be system, developer, user, assistant or tool.", "messages.role");
            }
        }

        WriteToolResults(results);
        Close();
        writer.WriteEndArray();
        if (!any)
        {
            throw new UntranslatableRequestException("Gemini needs at least one message that is not empty.", "messages");
        }

        if (instructions.Count > 0)
        {
            writer.WriteStartObject("systemInstruction"u8);
            writer.WriteStartArray("parts"u8);
            foreach (var part in instructions)
            {
                WritePart(part);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }
    }

    /// <summary>Says instructions as the beginning of what the user says, for a model that knows no others.</summary>
    private void WriteAsUser(List<JsonElement> instructions)
    {
        foreach (var part in instructions)
        {
            Open("user");
            WritePart(part);
        }

        instructions.Clear();
    }

    private void WriteContent(string role, JsonElement content, JsonElement signature = default)
    {
        var parts = PartsOf(content).ToList();
        for (var i = 0; i < parts.Count; i++)
        {
            Open(role);
            WritePart(parts[i], i == parts.Count - 1 ? signature : default);
        }
    }

    /// <summary>A text, or the parts of a list. Google refuses a text that is empty, and a turn without a part: those are left out.</summary>
    private static IEnumerable<JsonElement> PartsOf(JsonElement content)
    {
        IEnumerable<JsonElement> parts = content.ValueKind == JsonValueKind.String ? [content] : content.Items();
        return parts.Where(static part => !IsEmptyText(part) && !IsEmptyText(part.Field("text"u8)) && !IsEmptyText(part.Field("refusal"u8)));
    }

    private static bool IsEmptyText(JsonElement text) => text.ValueKind == JsonValueKind.String && text.RawText().IsEmpty;

    private void WriteAssistant(JsonElement message)
    {
        WriteContent("model", message.Field("content"u8), message.Field("provider_specific_fields"u8).Field("thought_signatures"u8).Items().LastOrDefault());
        WriteContent("model", message.Field("refusal"u8));
        if (ChatRequest.ThoughtsOf(message).ValueKind == JsonValueKind.String)
        {
            // Google takes no thoughts back, only their signatures.
            dropped.AddAdvice("messages.reasoning_content");
        }

        var first = true;
        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            var function = call.Field("function"u8);
            if (function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs a function with a name.", "messages.tool_calls");
            }

            var (id, signature) = SignedCallId.Split(call.Field("id"u8).Text() ?? "");
            Open("model");
            writer.WriteStartObject();
            writer.WriteStartObject("functionCall"u8);
            WriteId(id);
            writer.WriteCopy("name"u8, function.Field("name"u8));
            ChatRequest.WriteArguments(writer, "args"u8, function.Field("arguments"u8), dropped);
            writer.WriteEndObject();
            WriteSignature(call, signature, first);
            writer.WriteEndObject();
            first = false;
            if (id.Length > 0)
            {
                calls[id] = (function.Field("name"u8).Text() ?? "", places++);
            }
        }
    }

    private void WriteSignature(JsonElement call, string? inId, bool first)
    {
        var signature = call.Field("provider_specific_fields"u8).Field("thought_signature"u8);
        signature = signature.Given() ? signature : call.Field("extra_content"u8).Field("google"u8).Field("thought_signature"u8);
        if (signature.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("thoughtSignature"u8, signature);
        }
        else if (inId is not null)
        {
            writer.WriteString("thoughtSignature"u8, inId);
        }
        else if (first && GeminiModel.IsThreeOrLater(model))
        {
            writer.WriteString("thoughtSignature"u8, NoSignature);
        }
    }

    /// <summary>Google tells results of one tool apart by their order, unless both sides have ids: they are given in the order of their calls.</summary>
    private void WriteToolResults(List<JsonElement> results)
    {
        foreach (var result in results.OrderBy(result => calls.TryGetValue(AnsweredBy(result), out var call) ? call.Place : int.MaxValue))
        {
            WriteToolResult(result);
        }

        results.Clear();
    }

    private static string AnsweredBy(JsonElement result) => SignedCallId.Split(result.Field("tool_call_id"u8).Text() ?? "").Id;

    private void WriteToolResult(JsonElement message)
    {
        var id = AnsweredBy(message);
        var isKnown = calls.TryGetValue(id, out var call);
        var name = isKnown ? call.Name
            : message.Field("name"u8).Text() ??
            throw new UntranslatableRequestException("A tool's result must name a tool call that stands before it.", "messages.tool_call_id");

        Open("user");
        writer.WriteStartObject();
        writer.WriteStartObject("functionResponse"u8);
        WriteId(isKnown ? id : "");
        writer.WriteString("name"u8, name);
        var content = message.Field("content"u8);
        writer.WritePropertyName("response"u8);
        if (content.ValueKind == JsonValueKind.String && ChatRequest.TryReadArguments(content, out var json) && !content.RawText().IsEmpty)
        {
            writer.WriteRawValue(json, skipInputValidation: true);
        }
        else
        {
            var text = new EscapedText();
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

    /// <summary>The id that Google gave a call; one that the gateway made says nothing to it, and models before Gemini 3 know none.</summary>
    private void WriteId(string id)
    {
        if (id.Length > 0 && GeminiModel.IsThreeOrLater(model) && !CompletionIds.IsMadeForToolCall(id))
        {
            writer.WriteString("id"u8, id);
        }
    }

    private void WritePart(JsonElement part, JsonElement signature = default)
    {
        if (part.Field("cache_control"u8).Given())
        {
            dropped.AddAdvice("cache_control");
        }

        switch (part.ValueKind == JsonValueKind.String ? "text" : part.Field("type"u8).Text())
        {
            case "text":
                WriteText(part.ValueKind == JsonValueKind.String ? part : part.Field("text"u8), signature);
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
                    data is null ? new Attachment(null, null, file.Field("file_id"u8).Text()) : Attachment.OfFile(data),
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

    private void WriteText(JsonElement text, JsonElement signature = default)
    {
        if (text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("A text must be a string.", "messages.content");
        }

        writer.WriteStartObject();
        writer.WriteCopy("text"u8, text);
        if (signature.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("thoughtSignature"u8, signature);
        }

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
