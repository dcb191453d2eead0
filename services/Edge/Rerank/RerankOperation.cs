using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Pricing;

namespace Gateway.Edge.Rerank;

/// <summary>
/// <c>POST /v2/rerank</c>, Cohere's form, which Jina and the servers of one's own speak too. Cohere bills searches of up to 100 documents,
/// others the tokens that they read.
/// </summary>
internal sealed class RerankOperation(WholeReply whole) : JsonOperation(OperationKind.Rerank, whole)
{
    private const int DocumentsPerSearch = 100;

    public override string CallType => "rerank";

    public override string Name => "rerank";

    /// <summary>Cohere's clients read <c>message</c> at the top, those of others OpenAI's envelope: both stand there.</summary>
    public override Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context, withMessageAtTop: true);

    // The question is read again with each document, and a token is at least a byte.
    protected override OperationUse Most(RequestExchange exchange)
    {
        var (documents, queryBytes) = Asked(exchange);
        return new(new TokenUsage { Input = exchange.Body.Memory.Length + (documents * queryBytes) }, new CostUnits(Requests: Searches(documents)));
    }

    protected override OperationUse Expected(RequestExchange exchange)
    {
        var (documents, queryBytes) = Asked(exchange);
        var bytes = exchange.Body.Memory.Length;
        var tokens = exchange.Grant.Expectation.Input(bytes) ?? (bytes + (documents * queryBytes)) / 4;
        return new(new TokenUsage { Input = tokens }, new CostUnits(Requests: Searches(documents)));
    }

    protected override OperationUse? ReadUse(RequestExchange exchange, ReadOnlySpan<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply);
        var root = document.RootElement;
        var billed = root.Field("meta"u8).Field("billed_units"u8);
        if (billed.Field("search_units"u8) is { ValueKind: JsonValueKind.Number } searches)
        {
            return new(new TokenUsage(), new CostUnits(Requests: searches.Count()));
        }

        var tokens = OpenAiUsage.TryRead(reply, out var usage) ? usage
            : billed.Field("input_tokens"u8) is { ValueKind: JsonValueKind.Number } billedTokens ? new TokenUsage { Input = billedTokens.Count() }
            : null;
        return tokens is null ? null : new(tokens, new CostUnits(Requests: Searches(Asked(exchange).Documents)));
    }

    private static long Searches(long documents) => Math.Max(1, (documents + DocumentsPerSearch - 1) / DocumentsPerSearch);

    private static (long Documents, long QueryBytes) Asked(RequestExchange exchange)
    {
        using var asked = RequestHead.Parse(exchange.Body.Memory);
        var documents = asked.RootElement.Field("documents"u8);
        return (documents.ValueKind == JsonValueKind.Array ? documents.GetArrayLength() : 1, asked.RootElement.Field("query"u8).RawText().Length);
    }
}
