using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Flow;

/// <summary>What a request may use, before it runs.</summary>
internal static class Estimates
{
    /// <summary>Tokens that providers add around messages and tools: part of the worst case.</summary>
    public const int FramingTokens = 1_024;

    /// <summary>What a model reads at most that states no window.</summary>
    public const int ContextWindow = 200_000;

    /// <summary>The output assumed before anything was learned of a model.</summary>
    private const int PriorOutputTokens = 300;

    /// <summary>The most output assumed of a model that states no limit.</summary>
    private const int OutputTokensMax = 32_768;

    /// <summary>The most that it can cost, in nano-dollars.</summary>
    public static long WorstCase(RequestExchange exchange, ModelGroup group)
    {
        long want = 0;
        foreach (var deployment in group.Deployments)
        {
            if (deployment.Price is { } price)
            {
                want = Math.Max(want, CostCalculator.WorstCase(InputMax(exchange, price), Output(exchange.Head.MaxTokens, deployment), exchange.Head.Choices, price).NanoDollars);
            }
        }

        return want;
    }

    /// <summary>The cost: at worst, and as expected.</summary>
    public static CostEstimate Cost(RequestExchange exchange, ModelGroup group)
    {
        var want = WorstCase(exchange, group);
        var expectation = exchange.Grant.Expectation;
        if (Array.Find(group.Deployments, static deployment => deployment.Price is not null) is not { Price: { } price } deployment)
        {
            return new CostEstimate(want, want, expectation.Learned);
        }

        var input = new TokenUsage { Input = Input(exchange) };
        var output = Math.Min(expectation.Output ?? (PriorOutputTokens * (long)exchange.Head.Choices), Output(exchange.Head.MaxTokens, deployment) * exchange.Head.Choices);
        var least = CostCalculator.Cost(input with { Output = output }, price).NanoDollars;
        return new CostEstimate(want, Math.Min(want, least), expectation.Learned, Math.Min(want, CostCalculator.Cost(input, price).NanoDollars));
    }

    /// <summary>The tokens expected, for limits on tokens.</summary>
    public static long Tokens(RequestExchange exchange)
    {
        var output = exchange.Grant.Expectation.Output ?? exchange.Head.MaxTokens ?? PriorOutputTokens;
        return Math.Max(1, Input(exchange) + Math.Min(output, exchange.Head.MaxTokens ?? long.MaxValue));
    }

    /// <summary>The prompt's tokens, as expected.</summary>
    public static long Input(RequestExchange exchange)
    {
        var bytes = exchange.Body.Memory.Length;
        var body = exchange.Grant.Expectation.Input(bytes) ?? bytes / 4;
        return exchange.Head.Files is { } files ? body + Math.Min(files.Bytes / 4, ContextWindow) : body;
    }

    /// <summary>A token is at least a byte, so a body cannot have more tokens than bytes. Files that it names may fill the window; nothing is read beyond it.</summary>
    private static long InputMax(RequestExchange exchange, ModelPrice price)
    {
        var bytes = exchange.Body.Memory.Length + FramingTokens;
        return exchange.Head.Files is null ? bytes : Math.Max(bytes, price.ContextWindow ?? ContextWindow);
    }

    /// <summary>The most tokens of one answer.</summary>
    /// <param name="asked">What the request says; null when it says nothing.</param>
    /// <param name="deployment">Who answers.</param>
    public static long Output(long? asked, Deployment deployment)
    {
        var most = deployment.MaxOutputTokens ?? OutputTokensMax;
        return asked is { } bound ? Math.Min(bound, most) : most;
    }
}
