using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;

namespace Gateway.Edge.Completions;

/// <summary>Makes one <c>text_completion</c> of a stream's chunks, for a guarded request whose client does not stream. Not on the warm path.</summary>
internal sealed class CompletionsAssembler
{
    private readonly SortedDictionary<int, (StringBuilder Text, JsonObject Choice)> choices = [];
    private JsonObject? first;

    /// <summary>Takes one chunk, known to be a JSON object.</summary>
    public void Take(ReadOnlySpan<byte> data)
    {
        if (JsonNode.Parse(data) is not JsonObject chunk)
        {
            return;
        }

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
            known.Choice["finish_reason"] = choice["finish_reason"]?.DeepClone() ?? known.Choice["finish_reason"]?.DeepClone();
        }
    }

    /// <summary>The answer.</summary>
    public byte[] ToJson(TokenUsage? usage)
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

        return Encoding.UTF8.GetBytes(answer.ToJsonString());
    }
}
