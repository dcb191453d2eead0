using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Moderations;

/// <summary><c>POST /v1/moderations</c>, OpenAI's form. OpenAI's own is free and reports no tokens; others bill what they read and say so.</summary>
internal sealed class ModerationsOperation(WholeReply whole) : JsonOperation(OperationKind.Moderations, whole)
{
    /// <summary>The model of a request that names none: OpenAI's API does not ask for it, so clients do not send it.</summary>
    private const string DefaultModel = "omni-moderation-latest";

    public override string CallType => "moderation";

    public override string Name => "moderation";

    protected override GatewayError? ReadHead(RequestExchange exchange)
    {
        var wrong = RequestHead.TryRead(exchange.Body.Span, out exchange.Head, modelInPath: exchange.ModelInPath, needsModel: false);
        if (exchange.Head.ModelName.Length == 0)
        {
            exchange.Head.ModelName = DefaultModel;
        }

        return wrong;
    }

    protected override OperationUse Most(RequestExchange exchange) => new(new TokenUsage { Input = exchange.Body.Memory.Length });

    protected override OperationUse Expected(RequestExchange exchange) => new(new TokenUsage { Input = Math.Max(1, exchange.Body.Memory.Length / 4) });

    protected override OperationUse? ReadUse(RequestExchange exchange, ReadOnlySpan<byte> reply)
    {
        JsonReading.ParseReply(reply).Dispose();
        return OpenAiUsage.TryRead(reply, out var usage) ? new(usage)
            : exchange.Target?.Price is { Rates.Input: 0 } ? new(new TokenUsage())
            : null;
    }
}
