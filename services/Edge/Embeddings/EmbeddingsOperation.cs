using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Embeddings;

/// <summary><c>POST /v1/embeddings</c>: OpenAI's form. What is read is billed, nothing is written.</summary>
internal class EmbeddingsOperation(WholeReply whole) : JsonOperation(OperationKind.Embeddings, whole)
{
    public override string CallType => "embedding";

    public override string Name => "embeddings";

    // A token is at least a byte, so a body cannot have more tokens than bytes.
    protected override OperationUse Most(RequestExchange exchange) => new(new TokenUsage { Input = exchange.Body.Memory.Length });

    protected override OperationUse Expected(RequestExchange exchange)
    {
        var bytes = exchange.Body.Memory.Length;
        return new(new TokenUsage { Input = exchange.Grant.Expectation.Input(bytes) ?? Math.Max(1, bytes / 4) });
    }

    protected override OperationUse? ReadUse(RequestExchange exchange, ReadOnlySpan<byte> reply)
    {
        if (reply.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..])
        {
            throw new MalformedReplyException("The reply is no JSON object.");
        }

        // No text has no tokens: a provider that says so did not count.
        return OpenAiUsage.TryReadWhole(reply, out var usage) && TokenCounter.Reported(usage) is not null ? new(usage) : null;
    }
}
