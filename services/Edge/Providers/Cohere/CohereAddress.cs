namespace Gateway.Edge.Providers.Cohere;

/// <summary>Where Cohere's routes are.</summary>
internal static class CohereAddress
{
    /// <summary>A route of version 2, whether or not the base address names it.</summary>
    public static Uri Of(ProviderTarget target, string route) =>
        target.Under(target.BaseAddress.AbsolutePath.TrimEnd('/').EndsWith("/v2", StringComparison.Ordinal) ? route : "v2/" + route);
}
