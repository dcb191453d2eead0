using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Operations;

/// <summary>An operation whose use can be told from its request alone: the same for every deployment that may serve it.</summary>
internal abstract class MeteredOperation(OperationKind kind) : Operation
{
    /// <summary>What is asked for.</summary>
    public OperationKind Kind { get; } = kind;

    public override long WorstCase(RequestExchange exchange, ModelGroup group)
    {
        var (tokens, units) = Most(exchange);
        return group.Deployments.Max(deployment => deployment.Price is { } price ? CostCalculator.Cost(tokens, price, units).NanoDollars : 0);
    }

    public override CostEstimate Cost(RequestExchange exchange, ModelGroup group)
    {
        var want = WorstCase(exchange, group);
        var (tokens, units) = Expected(exchange);
        var least = Array.Find(group.Deployments, static deployment => deployment.Price is not null) is { Price: { } price } ? CostCalculator.Cost(tokens, price, units).NanoDollars : 0;
        return new CostEstimate(want, Math.Min(want, least), exchange.Grant.Expectation.Learned);
    }

    public override long Tokens(RequestExchange exchange)
    {
        var tokens = Expected(exchange).Tokens;
        return Math.Max(1, tokens.PromptTokens + tokens.CompletionTokens);
    }

    /// <summary>The most that the request can use.</summary>
    protected abstract OperationUse Most(RequestExchange exchange);

    /// <summary>What the request is expected to use.</summary>
    protected abstract OperationUse Expected(RequestExchange exchange);

    protected override bool ServedBy(Deployment target) =>
        target.Configuration.MockResponse is null && target.Protocol.Serve(Kind) is not null;
}
