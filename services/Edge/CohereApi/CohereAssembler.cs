using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.CohereApi;

/// <summary>Makes one reply of Cohere's events, for a guarded request of a client that does not stream. Not on the warm path, so it may build a tree.</summary>
internal sealed class CohereAssembler
{
    private readonly SortedDictionary<int, JsonObject> contents = [];
    private readonly SortedDictionary<int, JsonObject> calls = [];
    private readonly JsonArray citations = [];
    private readonly JsonArray logprobs = [];
    private readonly StringBuilder plan = new();
    private JsonNode? id;
    private JsonObject end = [];

    /// <summary>Takes one event.</summary>
    /// <exception cref="MalformedReplyException">It is not what its type says.</exception>
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

    /// <summary>The whole reply.</summary>
    /// <exception cref="MalformedReplyException">Its pieces make none.</exception>
    public ReadOnlyMemory<byte> ToJson() => JsonReading.Assembled(Whole);

    private JsonObject Whole()
    {
        var message = new JsonObject { ["role"] = "assistant" };
        Add(message, "content", contents.Values);
        if (plan.Length > 0)
        {
            message["tool_plan"] = plan.ToString();
        }

        Add(message, "tool_calls", calls.Values);
        Add(message, "citations", citations);
        var reply = new JsonObject { ["id"] = id, ["message"] = message };
        foreach (var (name, value) in end)
        {
            reply[name] = value?.DeepClone();
        }

        Add(reply, "logprobs", logprobs);
        return reply;
    }

    private void TakeEvent(JsonElement item)
    {
        var index = item.Field("index"u8).Int() ?? 0;
        var message = item.Field("delta"u8).Field("message"u8);
        switch (item.Field("type"u8).Text())
        {
            case "message-start":
                id = JsonValue.Create(item.Field("id"u8).Text());
                break;
            case "content-start" or "content-delta":
                Grow(contents, index, message.Field("content"u8));
                if (item.Field("logprobs"u8) is { ValueKind: JsonValueKind.Object } likely)
                {
                    logprobs.Add(JsonObject.Create(likely.CloneOfText()));
                }

                break;
            case "tool-plan-delta":
                plan.Append(message.Field("tool_plan"u8).Text());
                break;
            case "tool-call-start" or "tool-call-delta":
                Grow(calls, index, message.Field("tool_calls"u8));
                break;
            case "citation-start" when message.Field("citations"u8) is { ValueKind: JsonValueKind.Object } citation:
                citations.Add(JsonObject.Create(citation.CloneOfText()));
                break;
            case "message-end" when item.Field("delta"u8) is { ValueKind: JsonValueKind.Object } delta:
                end = JsonObject.Create(delta.CloneOfText())!;
                break;
        }
    }

    private static void Grow(SortedDictionary<int, JsonObject> parts, int index, JsonElement piece)
    {
        if (piece.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var more = JsonObject.Create(piece.CloneOfText())!;
        if (parts.TryGetValue(index, out var known))
        {
            Merge(known, more);
        }
        else
        {
            parts[index] = more.DeepClone().AsObject();
        }
    }

    private static void Merge(JsonObject into, JsonObject more)
    {
        foreach (var (name, value) in more)
        {
            if (into[name] is JsonObject known && value is JsonObject part)
            {
                Merge(known, part);
            }
            else
            {
                into[name] = into[name] is { } begun && name is "text" or "thinking" or "arguments" ? begun + value?.ToString() : value?.DeepClone();
            }
        }
    }

    private static void Add(JsonObject into, string name, IEnumerable<JsonNode?> items)
    {
        if (items.Any())
        {
            into[name] = new JsonArray([.. items.Select(static item => item?.DeepClone())]);
        }
    }
}
