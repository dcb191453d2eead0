using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Messages;

/// <summary>
/// Makes one message of the events of Anthropic's stream, for a guarded request of a client that does not stream. Not on the warm path, so it
/// may build a tree: whatever fields an event has, the message has too.
/// </summary>
internal sealed class MessageAssembler
{
    private readonly SortedDictionary<int, Block> blocks = [];
    private JsonObject message = [];

    /// <summary>Takes one event.</summary>
    /// <exception cref="MalformedReplyException">An object in it names a member twice.</exception>
    public void Take(JsonElement item)
    {
        try
        {
            TakeEvent(item);
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("An event of the stream is not what its type says.");
        }
    }

    private void TakeEvent(JsonElement item)
    {
        var index = item.Field("index"u8).Int() ?? 0;
        switch (item.Field("type"u8).Text())
        {
            case "message_start":
                message = NodeOf(item.Field("message"u8)) ?? [];
                foreach (var given in item.Field("message"u8).Field("content"u8).Items())
                {
                    // A message that goes on from a tool that Anthropic runs begins with blocks.
                    blocks[blocks.Count] = new Block(NodeOf(given) ?? []);
                }

                break;
            case "content_block_start":
                blocks[index] = new Block(NodeOf(item.Field("content_block"u8)) ?? []);
                break;
            case "content_block_delta" when blocks.TryGetValue(index, out var block):
                block.Add(item.Field("delta"u8));
                break;
            case "message_delta":
                Merge(message, NodeOf(item.Field("delta"u8)));
                var usage = message["usage"] as JsonObject;
                message["usage"] = usage ??= [];
                Merge(usage, NodeOf(item.Field("usage"u8)));
                break;
        }
    }

    /// <summary>The whole message.</summary>
    /// <exception cref="MalformedReplyException">Its pieces make none.</exception>
    public ReadOnlyMemory<byte> ToJson() => JsonReading.Assembled(Whole);

    private JsonObject Whole()
    {
        message["content"] = new JsonArray([.. blocks.Values.Select(static block => block.Whole())]);
        return message;
    }

    private static JsonObject? NodeOf(JsonElement element) => element.ValueKind == JsonValueKind.Object ? JsonObject.Create(element.CloneOfText()) : null;

    private static void Merge(JsonObject into, JsonObject? more)
    {
        foreach (var (name, value) in more ?? [])
        {
            into[name] = value?.DeepClone();
        }
    }

    private sealed class Block(JsonObject start)
    {
        private readonly Dictionary<string, StringBuilder> texts = [];
        private readonly StringBuilder input = new();
        private readonly JsonArray citations = [];

        public void Add(JsonElement delta)
        {
            foreach (var field in delta.Fields())
            {
                if (field.NameEquals("partial_json"u8))
                {
                    input.Append(field.Value.Text());
                }
                else if (field.NameEquals("citation"u8))
                {
                    citations.Add(JsonNode.Parse(field.Value.CloneOfText().GetRawText()));
                }
                else if (!field.NameEquals("type"u8) && field.Value.Text() is { } text)
                {
                    (texts.TryGetValue(field.Name, out var known) ? known : texts[field.Name] = new StringBuilder(start[field.Name]?.ToString())).Append(text);
                }
            }
        }

        public JsonObject Whole()
        {
            foreach (var (name, text) in texts)
            {
                start[name] = text.ToString();
            }

            if (input.Length > 0)
            {
                start["input"] = ParsedInput();
            }

            if (citations.Count > 0)
            {
                start["citations"] = citations;
            }

            return start;
        }

        private JsonNode? ParsedInput()
        {
            try
            {
                return JsonNode.Parse(input.ToString());
            }
            catch (JsonException)
            {
                // The answer was cut in the middle of a call: its caller sees what the model wrote.
                return new JsonObject { ["invalid_arguments"] = input.ToString() };
            }
        }
    }
}
