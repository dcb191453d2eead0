namespace Gateway.Edge.Routing;

/// <summary>Puts a group's deployments into the order in which they are tried. No I/O, no state.</summary>
internal static class Router
{
    /// <summary>
    /// The order: those that do not rest first; among them the lower <c>order</c>; among those what the strategy prefers. Deployments that
    /// rest or are at their own rate limit are left out, unless the group has only one: then there is nothing better to try.
    /// </summary>
    /// <param name="group">The deployments.</param>
    /// <param name="strategy">How to choose.</param>
    /// <param name="latencyTtl">How long a latency counts.</param>
    /// <param name="chance">Numbers from 0 to 1.</param>
    public static Deployment[] Order(ModelGroup group, IRoutingStrategy strategy, TimeSpan latencyTtl, Func<double> chance)
    {
        if (group.Deployments is [var only])
        {
            return only.Health.Cooling || AtItsLimit(only) ? [] : group.Deployments;
        }

        var ready = new List<(Deployment Deployment, double Score)>(group.Deployments.Length);
        foreach (var deployment in group.Deployments)
        {
            if (!deployment.Health.Cooling && !AtItsLimit(deployment))
            {
                ready.Add((deployment, strategy.Score(CandidateOf(deployment, latencyTtl), chance())));
            }
        }

        ready.Sort(static (left, right) => (left.Deployment.Configuration.Order ?? int.MaxValue).CompareTo(right.Deployment.Configuration.Order ?? int.MaxValue) is var order and not 0
            ? order
            : left.Score.CompareTo(right.Score));
        return [.. ready.Select(static candidate => candidate.Deployment)];
    }

    /// <summary>How long until a deployment of the group may be tried again; null when one may be tried now.</summary>
    public static TimeSpan? CoolingFor(ModelGroup group) =>
        Array.Exists(group.Deployments, static deployment => !deployment.Health.Cooling)
            ? null
            : group.Deployments.Min(static deployment => deployment.Health.CoolingFor);

    private static bool AtItsLimit(Deployment deployment) =>
        (deployment.Configuration.Rpm is { } rpm && deployment.Health.Requests >= rpm)
        || (deployment.Configuration.Tpm is { } tpm && deployment.Health.Tokens >= tpm)
        || (deployment.Configuration.MaxParallelRequests is { } parallel && deployment.Health.InFlight >= parallel);

    private static Candidate CandidateOf(Deployment deployment, TimeSpan latencyTtl)
    {
        var configuration = deployment.Configuration;
        var health = deployment.Health;
        return new Candidate(
            (double)(configuration.Weight ?? configuration.Rpm ?? configuration.Tpm ?? 1),
            health.InFlight,
            health.Requests,
            health.Tokens,
            configuration.Rpm,
            configuration.Tpm,
            health.Latency(latencyTtl),
            deployment.Price is { } price ? price.Rates.Input + price.Rates.Output : 1_000_000);
    }
}
