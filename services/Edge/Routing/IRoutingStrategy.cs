using Gateway.Configuration;

namespace Gateway.Edge.Routing;

/// <summary>How good a deployment is for the next request. Pure: values in, a number out.</summary>
internal interface IRoutingStrategy
{
    RoutingStrategy Name { get; }

    /// <summary>The score of a deployment; the lowest is tried first. Equal ones share by chance.</summary>
    /// <param name="candidate">The deployment and how it does.</param>
    /// <param name="chance">A number from 0 to 1, new for each call.</param>
    double Score(in Candidate candidate, double chance);
}

/// <summary>What a strategy may know of a deployment.</summary>
internal readonly record struct Candidate(
    double Weight, long InFlight, long RequestsThisMinute, long TokensThisMinute, long? RpmLimit, long? TpmLimit, long LatencyMicroseconds, decimal CostPerMillionTokens);

/// <summary>By chance, in proportion to the weights.</summary>
internal sealed class SimpleShuffleStrategy : IRoutingStrategy
{
    public RoutingStrategy Name => RoutingStrategy.SimpleShuffle;

    // Each draws an exponential waiting time with its weight as the rate: the first is chosen in proportion to the weight, and so is every next.
    public double Score(in Candidate candidate, double chance) => -Math.Log(1 - chance) / Math.Max(1e-9, candidate.Weight);
}

/// <summary>The one with the fewest requests under way.</summary>
internal sealed class LeastBusyStrategy : IRoutingStrategy
{
    public RoutingStrategy Name => RoutingStrategy.LeastBusy;

    public double Score(in Candidate candidate, double chance) => candidate.InFlight + (chance / 2);
}

/// <summary>The one that has used the least of its tokens per minute (of its limit, where it has one), then of its requests.</summary>
internal sealed class UsageBasedStrategy : IRoutingStrategy
{
    public RoutingStrategy Name => RoutingStrategy.UsageBased;

    public double Score(in Candidate candidate, double chance)
    {
        // Requests under way have used tokens that nobody has counted yet.
        var tokens = candidate.TpmLimit is > 0 and var tpm ? candidate.TokensThisMinute / (double)tpm : candidate.TokensThisMinute / 1e9;
        var requests = candidate.RpmLimit is > 0 and var rpm ? candidate.RequestsThisMinute / (double)rpm : candidate.RequestsThisMinute / 1e6;
        return Math.Max(tokens, requests) + (candidate.InFlight / 1e7) + (chance / 1e9);
    }
}

/// <summary>The fastest of late; one that was not tried of late is tried, so that it can show what it does.</summary>
internal sealed class LatencyBasedStrategy(decimal buffer) : IRoutingStrategy
{
    private readonly double step = 1 + (double)buffer;

    public RoutingStrategy Name => RoutingStrategy.LatencyBased;

    public double Score(in Candidate candidate, double chance) =>
        candidate.LatencyMicroseconds == 0 ? chance / 1e6
        : step > 1 ? Math.Floor(Math.Log(candidate.LatencyMicroseconds) / Math.Log(step)) + (chance / 2)
        : candidate.LatencyMicroseconds + (chance / 2);
}

/// <summary>The cheapest: the price of a million tokens in and a million out; one without a price comes last.</summary>
internal sealed class CostBasedStrategy : IRoutingStrategy
{
    public RoutingStrategy Name => RoutingStrategy.CostBased;

    public double Score(in Candidate candidate, double chance) => (double)candidate.CostPerMillionTokens + (chance / 1e9);
}
