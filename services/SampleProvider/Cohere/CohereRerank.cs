using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Cohere;

/// <summary><c>POST /v2/rerank</c>, which others serve at <c>/v1/rerank</c>: documents that share words with the query come first.</summary>
internal sealed class CohereRerank(string path) : JsonSurface(path, CohereDialect.Instance)
{
    private const int DocumentsMax = 10_000;
    private const int DocumentsPerSearchUnit = 100;

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        var query = root.TryGetProperty("query", out var asked) && asked.ValueKind == JsonValueKind.String ? asked.GetString()! : "";
        string[]? documents = root.TryGetProperty("documents", out var given) && given.ValueKind == JsonValueKind.Array
            ? [.. given.EnumerateArray().Select(document => document.ToString())]
            : null;
        var fault = ask.Model.Length == 0 ? new Fault(400, "invalid request: model is required")
            : query.Length == 0 ? new Fault(400, "invalid request: query is required")
            : documents is null or { Length: 0 or > DocumentsMax } ? new Fault(400, $"invalid request: documents must have 1 to {DocumentsMax} items")
            : null;
        if (fault is not null || documents is null)
        {
            return Dialect.Refuse(fault!, ask.Model, Script.None);
        }

        var top = root.TryGetProperty("top_n", out var count) && count.TryGetInt32(out var number) && number > 0 ? number : documents.Length;
        var ranked = documents
            .Select((document, index) => (Index: index, Score: Score(query, document)))
            .OrderByDescending(result => result.Score).ThenBy(result => result.Index)
            .Take(top)
            .ToArray();
        var writer = new FrameWriter().Raw("{\"id\":\""u8).Uuid().Raw("\",\"results\":["u8);
        for (var i = 0; i < ranked.Length; i++)
        {
            writer.Raw(i == 0 ? "{\"index\":"u8 : ",{\"index\":"u8).Number(ranked[i].Index)
                .Raw(",\"relevance_score\":"u8).Number(ranked[i].Score).Raw("}"u8);
        }

        writer.Raw("],\"meta\":{\"api_version\":{\"version\":\"2\"}"u8);
        var units = (documents.Length + DocumentsPerSearchUnit - 1) / DocumentsPerSearchUnit;
        if (Usage.Reported(units, 0, ask.Script with { ReasoningTokens = 0 }) is { } usage)
        {
            writer.Raw(",\"billed_units\":{\"search_units\":"u8).Number(usage.Input).Raw("}"u8);
        }

        return writer.Raw("}}"u8).Json(ask.Model, ask.Script);
    }

    /// <summary>The share of the query's words that the document has, and a little of its own so that two documents differ.</summary>
    private static float Score(string query, string document)
    {
        var words = document.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var asked = query.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var shared = asked.Count(words.Contains) / (float)Math.Max(asked.Length, 1);
        var own = Sentences.Seed("", document, 0) % 1000 / 1000f;
        return (shared * 0.9f) + (own * 0.09f);
    }
}
