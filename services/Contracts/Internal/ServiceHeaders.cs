namespace Gateway.Contracts;

/// <summary>Headers that services send each other. An edge removes them from what a client sends.</summary>
public static class ServiceHeaders
{
    /// <summary>The secret by which a service proves itself. Without it nothing internal answers.</summary>
    public const string Secret = "x-gateway-service-secret";

    /// <summary>The caller that the edge authenticated: the UTF-8 JSON of <see cref="AccessSnapshot"/> in base64.</summary>
    public const string Caller = "x-gateway-caller";
}
