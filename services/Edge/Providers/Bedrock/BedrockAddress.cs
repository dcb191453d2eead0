namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Where Bedrock's models are called.</summary>
internal static class BedrockAddress
{
    /// <summary>The address of a model in its maker's own words.</summary>
    public static Uri Invoke(ProviderTarget target) => target.Under($"model/{Uri.EscapeDataString(target.Model)}/invoke");
}
