using Gateway.Configuration;

namespace Gateway.Edge.Routing;

/// <summary>
/// Which deployments of a group may take a request at all, before a strategy puts them into an order: by tags
/// (<c>enable_tag_filtering</c>), by the length of the prompt (<c>enable_pre_call_checks</c>) and by their price (<c>unpriced_models</c>).
/// No I/O, no state.
/// </summary>
internal static class Eligibility
{
    /// <summary>Deployments with this tag take what no other tag claims (LiteLLM's word).</summary>
    public const string DefaultTag = "default";

    /// <summary>Those whose tags fit the request's. A request without tags goes to the default ones, or, when there are none, to any.</summary>
    public static Deployment[] ByTags(Deployment[] deployments, RouterSettings router, IReadOnlyList<string> tags)
    {
        if (!router.EnableTagFiltering)
        {
            return deployments;
        }

        var defaults = Array.FindAll(deployments, static deployment => deployment.Configuration.Tags.Contains(DefaultTag));
        if (tags.Count == 0)
        {
            return defaults.Length > 0 ? defaults : deployments;
        }

        var fitting = Array.FindAll(deployments, deployment => Fits(deployment.Configuration.Tags, tags, router.TagFilteringMatchAny));
        return fitting.Length > 0 ? fitting : defaults;
    }

    /// <summary>Those that state no <c>max_input_tokens</c>, or enough of them.</summary>
    /// <param name="deployments">The deployments.</param>
    /// <param name="router">The settings.</param>
    /// <param name="inputTokens">The prompt's tokens as expected: a deployment is left out only when it states fewer.</param>
    public static Deployment[] ByContext(Deployment[] deployments, RouterSettings router, long inputTokens)
    {
        if (!router.EnablePreCallChecks || !Array.Exists(deployments, static deployment => deployment.Configuration.MaxInputTokens is not null))
        {
            return deployments;
        }

        return Array.FindAll(deployments, deployment => (deployment.Configuration.MaxInputTokens ?? long.MaxValue) >= inputTokens);
    }

    /// <summary>Those with a price, where models without one are refused: beside a priced deployment, too, none is used for nothing.</summary>
    public static Deployment[] ByPrice(Deployment[] deployments, UnpricedModels unpriced) =>
        unpriced != UnpricedModels.Refuse || Array.TrueForAll(deployments, static deployment => deployment.Price is not null)
            ? deployments
            : Array.FindAll(deployments, static deployment => deployment.Price is not null);

    private static bool Fits(IReadOnlyList<string> own, IReadOnlyList<string> asked, bool anyIsEnough) =>
        anyIsEnough ? asked.Any(own.Contains) : own.Count > 0 && asked.All(own.Contains);
}
