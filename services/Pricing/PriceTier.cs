namespace Gateway.Pricing;

/// <summary>How fast a provider promised to serve a request; the provider's answer says which one it was.</summary>
public enum ServiceTier
{
    /// <summary>The ordinary one.</summary>
    Standard,

    /// <summary>Faster and dearer.</summary>
    Priority,

    /// <summary>When there is room, and cheaper.</summary>
    Flex,

    /// <summary>Within a day, and cheaper.</summary>
    Batch,
}

/// <summary>The rates of a service tier from a size of prompt on.</summary>
/// <param name="Service">The service tier.</param>
/// <param name="AbovePromptTokens">The tier applies to a request whose whole prompt has more tokens than this; 0 for every request.</param>
/// <param name="Rates">What it costs: all tokens of such a request, not only those above.</param>
public sealed record PriceTier(ServiceTier Service, long AbovePromptTokens, TokenRates Rates);
