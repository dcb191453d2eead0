using System.Text.Json;
using Gateway.SampleProvider.Answers;

namespace Gateway.SampleProvider.Asking;

/// <summary>Reads one message: of any of the three protocols, with content that is text, parts or blocks.</summary>
internal static class MessageReader
{
    // What a picture costs at the resolution nobody named. The size would have to be downloaded to know better.
    private const int ImageTokens = 765;

    public static void Read(ref Utf8JsonReader reader, ChatAsk ask)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            ChatAskReader.Wrong(ref reader, ask, "messages[0]", "an object");
            return;
        }

        string? role = null;
        var text = "";
        var isToolResult = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("role"u8))
            {
                role = ChatAskReader.Text(ref reader, ask, "messages[0].role");
            }
            else if (reader.ValueTextEquals("content"u8))
            {
                reader.Read();
                var blocks = new Blocks(ask);
                ask.ContentTokens += Content(ref reader, blocks);
                text = blocks.Text;
                isToolResult |= blocks.HasToolResult;
            }
            else if (reader.ValueTextEquals("type"u8))
            {
                isToolResult |= ChatAskReader.Text(ref reader, ask, "messages[0].type") is "function_call_output" or "custom_tool_call_output";
            }
            else if (reader.ValueTextEquals("output"u8))
            {
                reader.Read();
                ask.ContentTokens += Content(ref reader, ask, out _);
            }
            else if (reader.ValueTextEquals("name"u8))
            {
                ask.NameCount++;
                ask.ContentTokens += Tokens.Count(ChatAskReader.Text(ref reader, ask, "messages[0].name") ?? "");
            }
            else if (reader.ValueTextEquals("tool_plan"u8))
            {
                ask.ContentTokens += Tokens.Count(ChatAskReader.Text(ref reader, ask, "messages[0].tool_plan") ?? "");
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                ask.ContentTokens += ToolCalls(ChatAskReader.Element(ref reader));
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

    public static int Content(ref Utf8JsonReader reader, ChatAsk ask, out string text)
    {
        var blocks = new Blocks(ask);
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
        var tokens = type is "image" or "image_url" or "input_image" ? ImageTokens : 0;
        blocks.HasToolResult |= type == "tool_result";
        if (block.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
        {
            blocks.Text += text.GetString();
            tokens += Tokens.Count(text.GetString()!);
        }

        ChatAskReader.Files(block, blocks.Ask);
        if (block.TryGetProperty("file", out var file))
        {
            ChatAskReader.Files(file, blocks.Ask);
        }

        if (type == "tool_use" && block.TryGetProperty("name", out var name) && block.TryGetProperty("input", out var input))
        {
            tokens += Tokens.Count(name.ToString()) + Tokens.Count(input.GetRawText());
        }

        if (type == "tool_result" && block.TryGetProperty("content", out var content))
        {
            tokens += content.ValueKind == JsonValueKind.Array
                ? content.EnumerateArray().Sum(inner => Block(inner, new Blocks(blocks.Ask)))
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

    private sealed class Blocks(ChatAsk ask)
    {
        public ChatAsk Ask { get; } = ask;

        public string Text { get; set; } = "";

        public bool HasToolResult { get; set; }
    }
}
