using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Asking;

/// <summary>
/// Reads a chat request in one pass. One reader serves OpenAI, Anthropic and Cohere: where their field names meet they mean the same,
/// and what one of them demands is checked by its own folder.
/// </summary>
internal static class ChatAskReader
{
    // What a picture costs at the resolution nobody named. The size would have to be downloaded to know better.
    private const int ImageTokens = 765;

    public static ChatAsk Read(ReadOnlySpan<byte> body, Script script)
    {
        var ask = new ChatAsk { Script = script };
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                ask.Fault = NotJson;
                return ask;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                Property(ref reader, ask);
            }

            // Anything behind the document is an error too: the reader throws at it.
            reader.Read();
        }
        catch (JsonException)
        {
            ask.Fault = NotJson;
            return ask;
        }

        ask.Model = ScriptReader.FromModel(ask.Model, script, out var merged, out var problem);
        ask.Script = merged;
        ask.Fault ??= problem is null ? null : new Fault(400, problem, "model", "invalid_sample_script");
        return ask;
    }

    private static Fault NotJson => new(400,
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly.)");

    private static void Property(ref Utf8JsonReader reader, ChatAsk ask)
    {
        if (reader.ValueTextEquals("messages"u8))
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                ask.HasMessages = true;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    MessageReader.Read(ref reader, ask);
                }
            }
            else
            {
                Wrong(ref reader, ask, "messages", "an array of objects");
            }
        }
        else if (reader.ValueTextEquals("model"u8))
        {
            ask.Model = Text(ref reader, ask, "model") ?? "";
        }
        else if (reader.ValueTextEquals("stream"u8))
        {
            ask.Stream = Flag(ref reader, ask, "stream");
        }
        else if (reader.ValueTextEquals("max_tokens"u8))
        {
            ask.TokensMax = Number(ref reader, ask, "max_tokens") ?? ask.TokensMax;
        }
        else if (reader.ValueTextEquals("max_completion_tokens"u8))
        {
            ask.TokensMax = Number(ref reader, ask, "max_completion_tokens") ?? ask.TokensMax;
        }
        else if (reader.ValueTextEquals("n"u8))
        {
            ask.Choices = Number(ref reader, ask, "n") ?? 1;
        }
        else if (reader.ValueTextEquals("parallel_tool_calls"u8))
        {
            ask.ParallelTools = Flag(ref reader, ask, "parallel_tool_calls");
        }
        else if (reader.ValueTextEquals("system"u8))
        {
            reader.Read();
            ask.ContentTokens += MessageReader.Content(ref reader, out _);
        }
        else if (reader.ValueTextEquals("stream_options"u8))
        {
            var options = Element(ref reader);
            ask.IncludeUsage = options.ValueKind == JsonValueKind.Object
                && options.TryGetProperty("include_usage", out var include) && include.ValueKind == JsonValueKind.True;
        }
        else if (reader.ValueTextEquals("tools"u8))
        {
            Tools(Element(ref reader), ask);
        }
        else if (reader.ValueTextEquals("tool_choice"u8))
        {
            ToolChoice(Element(ref reader), ask);
        }
        else if (reader.ValueTextEquals("response_format"u8) || reader.ValueTextEquals("output_format"u8))
        {
            Format(Element(ref reader), ask);
        }
        else if (reader.ValueTextEquals("output_config"u8))
        {
            var config = Element(ref reader);
            if (config.ValueKind == JsonValueKind.Object && config.TryGetProperty("format", out var format))
            {
                Format(format, ask);
            }
        }
        else
        {
            reader.Read();
            reader.Skip();
        }
    }

    private static void Tools(JsonElement tools, ChatAsk ask)
    {
        if (tools.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        ask.ContentTokens += Tokens.Count(tools.GetRawText());
        foreach (var tool in tools.EnumerateArray())
        {
            // OpenAI and Cohere wrap the function; Anthropic does not.
            var function = tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("function", out var wrapped) ? wrapped : tool;
            if (function.ValueKind == JsonValueKind.Object && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
            {
                if (!function.TryGetProperty("parameters", out var schema))
                {
                    function.TryGetProperty("input_schema", out schema);
                }

                ask.Tools.Add(new(name.GetString()!, schema.ValueKind == JsonValueKind.Object ? schema : EmptyObject));
            }
        }
    }

    private static readonly JsonElement EmptyObject = JsonElement.Parse("""{"type":"object"}""");

    private static void ToolChoice(JsonElement choice, ChatAsk ask)
    {
        var word = choice.ValueKind == JsonValueKind.String ? choice.GetString() : null;
        if (choice.ValueKind == JsonValueKind.Object)
        {
            word = choice.TryGetProperty("type", out var type) ? type.GetString() : null;
            var holder = choice.TryGetProperty("function", out var function) ? function : choice;
            ask.NamedTool = holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty("name", out var name) ? name.GetString() : null;
            ask.ParallelTools &= !(choice.TryGetProperty("disable_parallel_tool_use", out var off) && off.ValueKind == JsonValueKind.True);
        }

        ask.ToolWish = word switch
        {
            "none" or "NONE" => ToolWish.None,
            "required" or "REQUIRED" or "any" or "tool" or "function" => ToolWish.Required,
            _ => ToolWish.Auto,
        };
    }

    private static void Format(JsonElement format, ChatAsk ask)
    {
        if (format.ValueKind != JsonValueKind.Object || !format.TryGetProperty("type", out var type))
        {
            return;
        }

        ask.WantsJson = type.ValueEquals("json_object") || type.ValueEquals("json_schema");
        if (format.TryGetProperty("json_schema", out var schema) || format.TryGetProperty("schema", out schema))
        {
            ask.Schema = schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("schema", out var inner) ? inner : schema;
        }
    }

    private static JsonElement Element(ref Utf8JsonReader reader)
    {
        reader.Read();
        return JsonElement.ParseValue(ref reader);
    }

    private static string? Text(ref Utf8JsonReader reader, ChatAsk ask, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        Wrong(ref reader, ask, name, "a string");
        return null;
    }

    private static bool Flag(ref Utf8JsonReader reader, ChatAsk ask, string name)
    {
        reader.Read();
        if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
        {
            Wrong(ref reader, ask, name, "a boolean");
            return false;
        }

        return reader.TokenType == JsonTokenType.True;
    }

    private static int? Number(ref Utf8JsonReader reader, ChatAsk ask, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number))
        {
            Wrong(ref reader, ask, name, "an integer");
            return null;
        }

        if (number < 1)
        {
            ask.Fault ??= new(400, $"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {number} instead.", name,
                "integer_below_min_value");
        }

        return number;
    }

    private static void Wrong(ref Utf8JsonReader reader, ChatAsk ask, string name, string expected)
    {
        ask.Fault ??= new(400, $"Invalid type for '{name}': expected {expected}.", name, "invalid_type");
        reader.Skip();
    }

    /// <summary>Reads one message: of any of the three protocols, with content that is text, parts or blocks.</summary>
    private static class MessageReader
    {
        public static void Read(ref Utf8JsonReader reader, ChatAsk ask)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                Wrong(ref reader, ask, "messages[0]", "an object");
                return;
            }

            string? role = null;
            var text = "";
            var isToolResult = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("role"u8))
                {
                    role = Text(ref reader, ask, "messages[0].role");
                }
                else if (reader.ValueTextEquals("content"u8))
                {
                    reader.Read();
                    var blocks = new Blocks();
                    ask.ContentTokens += Content(ref reader, blocks);
                    text = blocks.Text;
                    isToolResult = blocks.HasToolResult;
                }
                else if (reader.ValueTextEquals("name"u8))
                {
                    ask.NameCount++;
                    ask.ContentTokens += Tokens.Count(Text(ref reader, ask, "messages[0].name") ?? "");
                }
                else if (reader.ValueTextEquals("tool_plan"u8))
                {
                    ask.ContentTokens += Tokens.Count(Text(ref reader, ask, "messages[0].tool_plan") ?? "");
                }
                else if (reader.ValueTextEquals("tool_calls"u8))
                {
                    ask.ContentTokens += ToolCalls(Element(ref reader));
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }

            ask.MessageCount++;
            ask.EndsWithToolResult = role == "tool" || isToolResult;
            if (role == "user" && !isToolResult)
            {
                ask.LastUserText = text;
            }
        }

        public static int Content(ref Utf8JsonReader reader, out string text)
        {
            var blocks = new Blocks();
            var tokens = Content(ref reader, blocks);
            text = blocks.Text;
            return tokens;
        }

        private static int Content(ref Utf8JsonReader reader, Blocks blocks)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String:
                    blocks.Text = reader.GetString()!;
                    return Tokens.Count(blocks.Text);
                case JsonTokenType.StartArray:
                    var tokens = 0;
                    foreach (var block in JsonElement.ParseValue(ref reader).EnumerateArray())
                    {
                        tokens += Block(block, blocks);
                    }

                    return tokens;
                default:
                    reader.Skip();
                    return 0;
            }
        }

        private static int Block(JsonElement block, Blocks blocks)
        {
            if (block.ValueKind != JsonValueKind.Object)
            {
                return 0;
            }

            var type = block.TryGetProperty("type", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
            var tokens = type is "image" or "image_url" ? ImageTokens : 0;
            blocks.HasToolResult |= type == "tool_result";
            if (block.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
            {
                blocks.Text += text.GetString();
                tokens += Tokens.Count(text.GetString()!);
            }

            if (type == "tool_use" && block.TryGetProperty("name", out var name) && block.TryGetProperty("input", out var input))
            {
                tokens += Tokens.Count(name.ToString()) + Tokens.Count(input.GetRawText());
            }

            if (type == "tool_result" && block.TryGetProperty("content", out var content))
            {
                tokens += content.ValueKind == JsonValueKind.Array
                    ? content.EnumerateArray().Sum(inner => Block(inner, new Blocks()))
                    : Tokens.Count(content.ToString());
            }

            return tokens;
        }

        private static int ToolCalls(JsonElement calls)
        {
            var tokens = 0;
            foreach (var call in calls.ValueKind == JsonValueKind.Array ? calls.EnumerateArray() : default)
            {
                if (call.ValueKind == JsonValueKind.Object && call.TryGetProperty("function", out var function)
                    && function.TryGetProperty("name", out var name) && function.TryGetProperty("arguments", out var arguments))
                {
                    tokens += Tokens.Count(name.ToString()) + Tokens.Count(arguments.ToString());
                }
            }

            return tokens;
        }

        private sealed class Blocks
        {
            public string Text { get; set; } = "";

            public bool HasToolResult { get; set; }
        }
    }
}
