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
    private readonly AnthropicContent parts;
    private readonly ToolIds ids = new(int.MaxValue);
    private string? openRole;
    private bool anyMessage;

    private AnthropicMessages(Utf8JsonWriter writer, DroppedFields dropped)
    {
        this.writer = writer;
        this.dropped = dropped;
        parts = new AnthropicContent(writer, dropped);
    }

    /// <summary>Writes both members.</summary>
    public static void Write(JsonElement messages, Utf8JsonWriter writer, DroppedFields dropped)
    {
        ChatRequest.RefuseNoMessages(messages);
        new AnthropicMessages(writer, dropped).Write(messages);
    }

    private void Write(JsonElement messages)
    {
        var onlySystem = messages.EnumerateArray().All(ChatRequest.IsSystem);
        var last = messages.GetArrayLength() - 1;
        writer.WriteStartArray("messages"u8);
        for (var i = 0; i <= last; i++)
        {
            var message = messages[i];
            dropped.AddUnknownOf(message, knowsAnthropics: true);
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

    /// <summary>All instructions, wherever they stood: Anthropic has one place for them.</summary>
    private void WriteSystem(JsonElement messages)
    {
        var begun = false;
        foreach (var message in messages.EnumerateArray().Where(ChatRequest.IsSystem))
        {
            foreach (var (text, cache) in Texts(message))
            {
                if (!begun)
                {
                    begun = true;
                    writer.WriteStartArray("system"u8);
                }

                parts.WriteText(text, cache);
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
        if (content.ValueKind == JsonValueKind.String && !AnthropicContent.IsBlank(content))
        {
            yield return (content, cache);
        }

        var count = content.ValueKind == JsonValueKind.Array ? content.GetArrayLength() : 0;
        for (var i = 0; i < count; i++)
        {
            var text = content[i].Field("text"u8);
            if (!AnthropicContent.IsBlank(text))
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
            if (!AnthropicContent.IsBlank(content))
            {
                Open("user");
                parts.WriteText(content, cache);
            }

            return;
        }

        var count = content.ValueKind == JsonValueKind.Array ? content.GetArrayLength() : 0;
        for (var i = 0; i < count; i++)
        {
            var part = content[i];
            if (part.Field("type"u8).Is("text"u8) && AnthropicContent.IsBlank(part.Field("text"u8)))
            {
                continue;
            }

            Open("user");
            parts.Write(part, i == count - 1 ? cache : default);
        }
    }

    private void WriteAssistant(JsonElement message, bool isLast)
    {
        // An answer cannot come first: Anthropic's conversations begin with the user.
        if (!anyMessage && openRole is null)
        {
            Open("user");
            parts.WriteText("."u8, default);
        }

        foreach (var block in ThinkingBlocks.Read(message.Field("thinking_blocks"u8), dropped))
        {
            WriteThinking(block);
        }

        if (ChatRequest.ThoughtsOf(message) is { ValueKind: JsonValueKind.String } && !message.Field("thinking_blocks"u8).Items().Any())
        {
            // Without its signature Anthropic takes no thinking back.
            dropped.AddAdvice("messages.reasoning_content");
        }

        // The beginning of an answer that the model is to go on with must not end in white space: what is said last is trimmed.
        var refusal = message.Field("refusal"u8);
        var goesOn = isLast && !message.Field("tool_calls"u8).Items().Any();
        var endsInContent = goesOn && AnthropicContent.IsBlank(refusal);
        var content = message.Field("content"u8);
        if (content.ValueKind == JsonValueKind.String)
        {
            WriteAnswer(content, message.Field("cache_control"u8), endsInContent);
        }

        JsonElement[] said = [.. content.Items().Where(AnthropicContent.IsSaid)];
        foreach (var (at, part) in said.Index())
        {
            var type = part.Field("type"u8);
            if (type.Is("text"u8) || type.Is("refusal"u8))
            {
                WriteAnswer(type.Is("text"u8) ? part.Field("text"u8) : part.Field("refusal"u8), part.Field("cache_control"u8), endsInContent && at == said.Length - 1);
            }
            else
            {
                Open("assistant");
                writer.WriteCopy(part);
            }
        }

        WriteAnswer(refusal, default, goesOn);
        if (message.Field("function_call"u8).Given())
        {
            throw new UntranslatableRequestException("function_call is only served by OpenAI's own models: use tool_calls.", "messages.function_call");
        }

        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            WriteToolUse(call);
        }
    }

    private void WriteThinking(in ThinkingBlock block)
    {
        Open("assistant");
        writer.WriteStartObject();
        if (block.Redacted.Given())
        {
            writer.WriteString("type"u8, "redacted_thinking"u8);
            writer.WriteCopy("data"u8, block.Redacted);
        }
        else
        {
            writer.WriteString("type"u8, "thinking"u8);
            block.WriteText(writer, "thinking"u8);
            writer.WriteCopy("signature"u8, block.Signature);
        }

        writer.WriteEndObject();
    }

    private void WriteAnswer(JsonElement text, JsonElement cache, bool trims)
    {
        if (AnthropicContent.IsBlank(text))
        {
            return;
        }

        Open("assistant");
        if (trims && text.Text() is { } words && words.TrimEnd().Length < words.Length)
        {
            parts.WriteText(Encoding.UTF8.GetBytes(words.TrimEnd()), cache);
            return;
        }

        parts.WriteText(text, cache);
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
        writer.WriteString("id"u8, ids.OfCall(call.Field("id"u8).Text()));
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
        writer.WriteString("tool_use_id"u8, ids.OfResult(message.Field("tool_call_id"u8).Text()));
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
                if (AnthropicContent.IsSaid(part))
                {
                    parts.Write(part, default);
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
