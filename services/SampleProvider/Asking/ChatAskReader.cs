using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Asking;

/// <summary>
/// Reads a chat request in one pass. One reader serves OpenAI (chat and Responses), Anthropic and Cohere: where their field names meet they mean the same,
/// and what one of them demands is checked by its own folder.
/// </summary>
internal static class ChatAskReader
{
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
        else if (reader.ValueTextEquals("input"u8))
        {
            Input(ref reader, ask);
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
        else if (reader.ValueTextEquals("max_output_tokens"u8))
        {
            ask.TokensMax = Number(ref reader, ask, "max_output_tokens") ?? ask.TokensMax;
        }
        else if (reader.ValueTextEquals("n"u8))
        {
            ask.Choices = Number(ref reader, ask, "n") ?? 1;
        }
        else if (reader.ValueTextEquals("parallel_tool_calls"u8))
        {
            ask.ParallelTools = Flag(ref reader, ask, "parallel_tool_calls");
        }
        else if (reader.ValueTextEquals("system"u8) || reader.ValueTextEquals("instructions"u8))
        {
            reader.Read();
            ask.ContentTokens += MessageReader.Content(ref reader, ask, out _);
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
        else if (reader.ValueTextEquals("output_config"u8) || reader.ValueTextEquals("text"u8))
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

    /// <summary>What the Responses call their messages: a text, or items of which the messages are some.</summary>
    private static void Input(ref Utf8JsonReader reader, ChatAsk ask)
    {
        reader.Read();
        ask.HasMessages = true;
        if (reader.TokenType == JsonTokenType.String)
        {
            ask.LastUserText = reader.GetString()!;
            ask.ContentTokens += Tokens.Count(ask.LastUserText);
            ask.MessageCount = 1;
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                // A list of texts is something to embed, which asks this reader for its model.
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    MessageReader.Read(ref reader, ask);
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        else
        {
            Wrong(ref reader, ask, "input", "a string or an array of objects");
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
            Files(tool, ask);
            if (tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("container", out var container))
            {
                Files(container, ask);
            }

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

    /// <summary>Notes the files that an object names itself.</summary>
    internal static void Files(JsonElement named, ChatAsk ask)
    {
        if (named.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (named.TryGetProperty("file_id", out var id) && id.ValueKind == JsonValueKind.String)
        {
            ask.Files.Add(id.GetString()!);
        }

        if (named.TryGetProperty("file_ids", out var ids) && ids.ValueKind == JsonValueKind.Array)
        {
            ask.Files.AddRange(ids.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!));
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

    internal static JsonElement Element(ref Utf8JsonReader reader)
    {
        reader.Read();
        return JsonElement.ParseValue(ref reader);
    }

    internal static string? Text(ref Utf8JsonReader reader, ChatAsk ask, string name)
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

    internal static void Wrong(ref Utf8JsonReader reader, ChatAsk ask, string name, string expected)
    {
        ask.Fault ??= new(400, $"Invalid type for '{name}': expected {expected}.", name, "invalid_type");
        reader.Skip();
    }
}
