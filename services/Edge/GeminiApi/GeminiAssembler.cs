using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// Makes one answer of Gemini's pieces, for a guarded request of a client that does not stream. Not on the warm path, so it may build a tree:
/// parts follow each other, texts of one kind in a row are joined, and of everything else the last piece counts.
/// </summary>
internal sealed class GeminiAssembler
{
    private readonly SortedDictionary<int, JsonObject> candidates = [];
    private readonly JsonObject answer = [];

    /// <summary>Takes one piece.</summary>
    /// <exception cref="MalformedReplyException">It is not what it should be.</exception>
    public void Take(JsonElement piece)
    {
        try
        {
            foreach (var (name, value) in JsonObject.Create(piece.CloneOfText())!)
            {
                if (name == "candidates" && value is JsonArray list)
                {
                    foreach (var candidate in list.OfType<JsonObject>())
                    {
                        TakeCandidate(candidate);
                    }
                }
                else
                {
                    answer[name] = value?.DeepClone();
                }
            }
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("A piece of the stream is not what it should be.");
        }
    }

    /// <summary>The whole answer.</summary>
    /// <exception cref="MalformedReplyException">Its pieces make none.</exception>
    public ReadOnlyMemory<byte> ToJson() => JsonReading.Assembled(Whole);

    private JsonObject Whole()
    {
        var whole = new JsonObject();
        if (candidates.Count > 0)
        {
            whole["candidates"] = new JsonArray([.. candidates.Values.Select(static candidate => candidate.DeepClone())]);
        }

        foreach (var (name, value) in answer)
        {
            whole[name] = value?.DeepClone();
        }

        return whole;
    }

    private void TakeCandidate(JsonObject piece)
    {
        var index = piece["index"] is JsonValue number && number.TryGetValue<int>(out var place) ? place : 0;
        if (!candidates.TryGetValue(index, out var known))
        {
            candidates[index] = known = [];
        }

        foreach (var (name, value) in piece)
        {
            if (name == "content" && value is JsonObject content && known["content"] is JsonObject before)
            {
                TakeContent(before, content);
            }
            else
            {
                known[name] = value?.DeepClone();
            }
        }
    }

    private static void TakeContent(JsonObject known, JsonObject more)
    {
        foreach (var (name, value) in more)
        {
            if (name == "parts" && value is JsonArray parts && known["parts"] is JsonArray before)
            {
                foreach (var part in parts)
                {
                    TakePart(before, part);
                }
            }
            else
            {
                known[name] = value?.DeepClone();
            }
        }
    }

    private static void TakePart(JsonArray known, JsonNode? part)
    {
        if (part is JsonObject more && known is [.., JsonObject last] && IsText(last) && IsText(more) && JsonNode.DeepEquals(last["thought"], more["thought"]))
        {
            last["text"] = last["text"]!.GetValue<string>() + more["text"]!.GetValue<string>();
        }
        else
        {
            known.Add(part?.DeepClone());
        }
    }

    // One that has a signature, or anything else of its own, stays what it is.
    private static bool IsText(JsonObject part) => part["text"] is JsonValue text && text.GetValueKind() == JsonValueKind.String && part.All(static member => member.Key is "text" or "thought");
}
