namespace Gateway.Edge.Providers;

/// <summary>Joins a base address and a path.</summary>
internal static class ProviderAddress
{
    private const string ChatPath = "/chat/completions";

    /// <summary>The target with a base address that ends before the path of chat: people paste whole addresses, and other routes stand beside it.</summary>
    public static ProviderTarget WithoutChatPath(this ProviderTarget target)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        return path.EndsWith(ChatPath, StringComparison.Ordinal)
            ? target with { BaseAddress = new UriBuilder(target.BaseAddress) { Path = path[..^ChatPath.Length] }.Uri }
            : target;
    }

    /// <summary>
    /// The path under the base address, which keeps its own path and query. A base that ends in the path already is taken as it is: people
    /// paste whole addresses.
    /// </summary>
    public static Uri Under(this ProviderTarget target, string path)
    {
        var before = target.BaseAddress.AbsolutePath.TrimEnd('/');
        if (before.EndsWith("/" + path, StringComparison.Ordinal))
        {
            return target.BaseAddress;
        }

        return new UriBuilder(target.BaseAddress) { Path = before + "/" + path }.Uri;
    }
}
