namespace Gateway.Edge.Providers;

/// <summary>Joins a base address and a path.</summary>
internal static class ProviderAddress
{
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
