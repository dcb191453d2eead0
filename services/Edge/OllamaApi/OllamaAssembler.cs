using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.OllamaApi;

/// <summary>
/// Makes one answer of Ollama's lines, for a guarded request of a client that does not stream. Not on the warm path, so it may build a tree:
/// texts are joined, lists grow, and of everything else the last line counts.
/// </summary>
internal sealed class OllamaAssembler
{
    private readonly JsonObject answer = [];

    /// <summary>Takes one line.</summary>
    /// <exception cref="MalformedReplyException">An object in it names a member twice.</exception>
    public void Take(JsonElement line)
    {
        try
        {
            Merge(answer, JsonObject.Create(line.CloneOfText())!);
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("A line of the stream is not what it should be.");
        }
    }

    /// <summary>The whole answer.</summary>
    /// <exception cref="MalformedReplyException">Its pieces make none.</exception>
    public ReadOnlyMemory<byte> ToJson() => JsonReading.Assembled(() => answer);

    private static void Merge(JsonObject into, JsonObject more)
    {
        foreach (var (name, value) in more)
        {
            into[name] = (into[name], value, name) switch
            {
                (JsonObject known, JsonObject part, _) => Merged(known, part),
                (JsonArray known, JsonArray list, "tool_calls" or "logprobs") => new JsonArray([.. known.Concat(list).Select(static item => item?.DeepClone())]),
                ({ } known, { } text, "content" or "thinking" or "response") => known.ToString() + text,
                _ => value?.DeepClone(),
            };
        }
    }

    private static JsonObject Merged(JsonObject known, JsonObject more)
    {
        var both = known.DeepClone().AsObject();
        Merge(both, more);
        return both;
    }
}
