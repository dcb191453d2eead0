using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Messages;

/// <summary>
/// Says <c>system</c> and <c>messages</c> in OpenAI's words. Anthropic has two roles with blocks inside; OpenAI has a message for each speaker and
/// tool: results of tools become messages of their own, before what the user says beside them.
/// </summary>
internal sealed class MessagesTurns(SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    /// <summary>Writes the member <c>messages</c>.</summary>
    public void Write(JsonElement request)
    {
        json.WriteStartArray("messages"u8);
        WriteSystem(request.Field("system"u8));
        foreach (var message in request.Field("messages"u8).Items())
        {
            if (message.ValueKind != JsonValueKind.Object)
            {
                throw new UntranslatableRequestException("Each message must be an object.", "messages");
            }

            WriteMessage(message);
        }

        json.WriteEndArray();
    }

    private void WriteSystem(JsonElement system)
    {
        var blocks = system.ValueKind == JsonValueKind.String ? [system] : system.Items().Where(static block => block.Field("text"u8).ValueKind == JsonValueKind.String).ToArray();
        if (blocks.Length == 0 || (blocks is [{ ValueKind: JsonValueKind.String } only] && only.ValueEquals(""u8)))
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "system"u8);
        WriteContent(blocks, separator: "\n");
        json.WriteEndObject();
    }

    private void WriteMessage(JsonElement message)
    {
        var role = message.Field("role"u8).Text();
        if (role is not ("user" or "assistant" or "system"))
        {
            throw new UntranslatableRequestException("A message's role must be user or assistant.", "messages");
        }

        var content = message.Field("content"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, role);
            json.WriteCopy("content"u8, content);
            json.WriteEndObject();
            return;
        }

        var parts = content.Items().Where(static part => part.ValueKind == JsonValueKind.Object).ToArray();
        var picturesOfTools = new List<JsonElement>();
        foreach (var result in parts.Where(static part => TypeOf(part) == "tool_result"))
        {
            WriteToolResult(result, picturesOfTools);
        }

        WriteTurn(role, parts, picturesOfTools);
    }

    private void WriteTurn(string role, JsonElement[] parts, List<JsonElement> picturesOfTools)
    {
        var said = parts.Where(IsSaid).Concat(picturesOfTools).ToArray();
        var calls = parts.Where(static part => TypeOf(part) == "tool_use").ToArray();
        var thinking = parts.Where(static part => TypeOf(part) is "thinking" or "redacted_thinking").ToArray();
        NameOthers(parts, ["tool_use", "tool_result", "thinking", "redacted_thinking"]);

        if (said.Length == 0 && calls.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role"u8, role);
        WriteThinking(thinking);
        if (said.Length == 0)
        {
            json.WriteNull("content"u8);
        }
        else
        {
            // What a user says in several texts (a coding agent's reminder, then its prompt) is several; what the model said in several was one.
            WriteContent(said, separator: role == "user" ? "\n\n" : "", keepsTexts: role == "user" && target.TakesTextsApart);
        }

        if (calls.Length > 0)
        {
            WriteCalls(calls);
        }

        json.WriteEndObject();
    }

    private void NameOthers(JsonElement[] blocks, string[] known)
    {
        foreach (var other in blocks.Where(static block => !IsSaid(block)).Select(TypeOf).Except(known))
        {
            dropped.AddAdvice($"messages.content.{other}");
        }
    }

    private void WriteThinking(JsonElement[] thinking)
    {
        if (thinking.Length == 0)
        {
            return;
        }

        var signatures = target.Provider.TakesGeminiSignatures ? thinking.Select(SignatureOf).Where(static signature => !string.IsNullOrEmpty(signature)).ToArray() : [];
        if (signatures is [.., var last])
        {
            TextSignature.Write(json, last!);
        }

        // Thinking of another provider has no signature, and Anthropic takes none back without.
        var own = target.KnowsAnthropic
            ? thinking.Where(static block => (block.Field("signature"u8).RawText().Length > 0 && SignatureOf(block) is null) || TypeOf(block) == "redacted_thinking").ToArray()
            : [];
        if (own.Length + signatures.Length < thinking.Length)
        {
            dropped.AddAdvice("messages.content.thinking");
        }

        if (own.Length > 0)
        {
            json.WriteStartArray("thinking_blocks"u8);
            foreach (var block in own)
            {
                json.WriteCopy(block);
            }

            json.WriteEndArray();
        }
    }

    private void WriteCalls(JsonElement[] calls)
    {
        json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call.Field("id"u8).Text());
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, ToolNames.Fit(call.Field("name"u8).Text()));
            json.WriteString("arguments"u8, call.Field("input"u8) is { ValueKind: JsonValueKind.Object } input ? input.Raw() : "{}"u8);
            json.WriteEndObject();
            target.WriteCache(json, call, dropped);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteToolResult(JsonElement result, List<JsonElement> picturesOfTools)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, result.Field("tool_use_id"u8).Text());
        var content = result.Field("content"u8);
        var blocks = content.Items().Where(static part => part.ValueKind == JsonValueKind.Object).ToArray();
        NameOthers(blocks, []);
        var parts = Array.FindAll(blocks, IsSaid);
        if (content.ValueKind == JsonValueKind.String)
        {
            json.WriteCopy("content"u8, content);
        }
        else if (target.TakesPicturesOfTools || Array.TrueForAll(parts, IsText))
        {
            WriteContent(parts, separator: "\n");
        }
        else
        {
            // OpenAI's tools answer in text alone: their pictures are shown by the user, right after.
            WriteContent([.. parts.Where(IsText)], separator: "\n");
            picturesOfTools.AddRange(parts.Where(static part => !IsText(part)));
        }

        if (result.Field("is_error"u8).ValueKind == JsonValueKind.True)
        {
            if (target.KnowsAnthropic)
            {
                json.WriteBoolean("is_error"u8, true);
            }
            else
            {
                dropped.AddAdvice("messages.content.is_error");
            }
        }

        target.WriteCache(json, result, dropped);
        json.WriteEndObject();
    }

    /// <summary>Text alone is a string; with pictures, or where cache marks are understood and there are some, it is a list of parts.</summary>
    /// <param name="parts">Anthropic's blocks.</param>
    /// <param name="separator">What stands between texts that become one.</param>
    /// <param name="keepsTexts">Whether several texts stay several.</param>
    private void WriteContent(JsonElement[] parts, string separator, bool keepsTexts = false)
    {
        NameLosses(parts);
        if (parts is [{ ValueKind: JsonValueKind.String } text])
        {
            json.WriteCopy("content"u8, text);
        }
        else if (Array.TrueForAll(parts, IsText) && !(keepsTexts && parts.Length > 1) && !(target.KnowsAnthropic && Array.Exists(parts, static part => part.Field("cache_control"u8).Given())))
        {
            foreach (var part in parts)
            {
                target.WriteCache(json, part, dropped);
            }

            json.WriteString("content"u8, string.Join(separator, parts.Select(static part => part.Field("text"u8).Text())));
        }
        else
        {
            json.WriteStartArray("content"u8);
            foreach (var part in parts)
            {
                WritePart(part);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Whether a text is to be cited or cites one, and where a document comes from: OpenAI's parts say none of it.</summary>
    private void NameLosses(JsonElement[] parts)
    {
        foreach (var part in parts)
        {
            var citations = part.Field("citations"u8);
            if (citations.Items().Any() || citations.Field("enabled"u8).ValueKind == JsonValueKind.True)
            {
                dropped.AddAdvice("messages.content.citations");
            }

            if (part.Field("context"u8).Given())
            {
                dropped.AddAdvice("messages.content.context");
            }
        }
    }

    private void WritePart(JsonElement part)
    {
        var source = part.Field("source"u8);
        var kind = source.Field("type"u8).Text();
        json.WriteStartObject();
        switch (TypeOf(part))
        {
            case "image":
                json.WriteString("type"u8, "image_url"u8);
                json.WriteStartObject("image_url"u8);
                json.WriteString("url"u8, AddressOf(source, "messages.content.image"));
                json.WriteEndObject();
                break;

            case "document" when kind == "text":
                WriteTitled(part, source.Field("data"u8).Text());
                break;

            case "document" when kind == "content":
                WriteTitled(part, TextOf(source.Field("content"u8)));
                break;

            case "document":
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.WriteString("filename"u8, part.Field("title"u8).Text() ?? "document.pdf");
                json.WriteString("file_data"u8, AddressOf(source, "messages.content.document"));
                json.WriteEndObject();
                break;

            case "search_result":
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, $"{part.Field("title"u8).Text()}\n{part.Field("source"u8).Text()}\n{TextOf(part.Field("content"u8))}");
                break;

            default:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, part.Field("text"u8).Text() ?? "");
                break;
        }

        target.WriteCache(json, part, dropped);
        json.WriteEndObject();
    }

    private void WriteTitled(JsonElement document, string? text)
    {
        json.WriteString("type"u8, "text"u8);
        json.WriteString("text"u8, document.Field("title"u8).Text() is { Length: > 0 } title ? $"{title}\n{text}" : text);
    }

    /// <summary>Gemini's signature of the text, where a block carries it; empty where nobody signed.</summary>
    private static string? SignatureOf(JsonElement thinking) => TextSignature.Of(thinking.Field("signature"u8).Text());

    /// <summary>Whether there are words for a block in a message of anybody's.</summary>
    private static bool IsSaid(JsonElement block) => TypeOf(block) is "text" or "image" or "document" or "search_result";

    private static bool IsText(JsonElement part) => TypeOf(part) == "text";

    private static string TypeOf(JsonElement part) => part.Field("type"u8).Text() ?? "text";

    private static string TextOf(JsonElement content) =>
        content.Text() ?? string.Join("\n", content.Items().Select(static block => block.Field("text"u8).Text()));

    private static string AddressOf(JsonElement source, string param) => source.Field("type"u8).Text() switch
    {
        "base64" => $"data:{source.Field("media_type"u8).Text()};base64,{source.Field("data"u8).Text()}",
        "url" => source.Field("url"u8).Text() ?? "",
        var other => throw new UntranslatableRequestException($"A source of type '{other}' is Anthropic's own and this model is not Anthropic's: send the bytes or an address.", param),
    };
}
