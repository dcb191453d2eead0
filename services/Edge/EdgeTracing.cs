using System.Diagnostics;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;

namespace Gateway.Edge;

/// <summary>One span for each request to a model, in OpenTelemetry's names for generative AI (<c>gen_ai.*</c>). It holds no prompt and no answer.</summary>
internal static class EdgeTracing
{
    private static readonly ActivitySource Source = new("Gateway.Edge");

    /// <summary>Starts a span; null when nobody listens, which costs nothing.</summary>
    public static Activity? Start(Operation operation) => Source.HasListeners() ? Source.StartActivity(operation.Name, ActivityKind.Client) : null;

    /// <summary>Says what became of the request.</summary>
    public static void End(Activity? span, RequestExchange exchange, GatewayError? error)
    {
        if (span is null)
        {
            return;
        }

        span.SetTag("gen_ai.operation.name", exchange.Operation.Name);
        span.SetTag("gateway.request.id", exchange.Id);
        if (exchange.Grant is { } grant)
        {
            span.DisplayName = $"{exchange.Operation.Name} {grant.Group.Name}";
            span.SetTag("gen_ai.request.model", grant.Group.Name);
        }

        if (exchange.Target is { } target)
        {
            span.SetTag("gen_ai.provider.name", target.Provider);
            span.SetTag("gen_ai.response.model", target.ProviderModel);
            span.SetTag("gateway.deployment.id", target.Id);
        }

        if (exchange.Record is { } record)
        {
            span.SetTag("gen_ai.usage.input_tokens", record.Tokens.PromptTokens);
            span.SetTag("gen_ai.usage.output_tokens", record.Tokens.CompletionTokens);
            span.SetTag("gateway.cost_nano_dollars", record.Cost.NanoDollars);
        }

        if (error is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, error.Code);
            span.SetTag("error.type", error.Code);
        }
    }
}
