using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Completions;

/// <summary>Makes one <c>text_completion</c> of a stream's chunks, for a guarded request whose client does not stream. Not on the warm path.</summary>
internal sealed class CompletionsAssembler
{
    private readonly SortedDictionary<int, (StringBuilder Text, JsonObject Choice)> choices = [];
    private JsonObject? first;

    /// <summary>Takes one chunk.</summary>
    /// <exception cref="MalformedReplyException">It is none.</exception>
    public void Take(ReadOnlySpan<byte> data)
    {
        try
        {
            Take(JsonNode.Parse(data) as JsonObject ?? throw new JsonException());
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("A frame of the stream is no chunk of OpenAI's completions.");
        }
    }

    private void Take(JsonObject chunk)
    {
        first ??= chunk;
        foreach (var node in chunk["choices"] as JsonArray ?? [])
        {
            if (node is not JsonObject choice)
            {
                continue;
            }

            var index = (int?)choice["index"] ?? 0;
            if (!choices.TryGetValue(index, out var known))
            {
                choices[index] = known = (new StringBuilder(), choice);
            }

            known.Text.Append((string?)choice["text"]);
            // Some servers send an empty reason until there is one.
            if (choice["finish_reason"] is JsonValue reason && (!reason.TryGetValue<string>(out var text) || text.Length > 0))
            {
                known.Choice["finish_reason"] = reason.DeepClone();
            }
        }
    }

    /// <summary>The answer.</summary>
    /// <exception cref="MalformedReplyException">Its pieces make none.</exception>
    public byte[] ToJson(TokenUsage? usage) => JsonReading.Assembled(() => Answer(usage));

    private JsonObject Answer(TokenUsage? usage)
    {
        var answer = (JsonObject?)first?.DeepClone() ?? [];
        answer["choices"] = new JsonArray([.. choices.Values.Select(static known =>
        {
            var choice = known.Choice.DeepClone();
            choice["text"] = known.Text.ToString();
            return choice;
        })]);
        if (usage is not null)
        {
            answer["usage"] = new JsonObject
            {
                ["prompt_tokens"] = usage.PromptTokens,
                ["completion_tokens"] = usage.CompletionTokens,
                ["total_tokens"] = usage.PromptTokens + usage.CompletionTokens,
            };
        }

        return answer;
    }
}
