using System.Net.Http.Headers;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Azure;

/// <summary>Azure OpenAI: OpenAI's chat with the deployment in the path, a version in the query and the key in a header of its own.</summary>
internal sealed class AzureProvider : OpenAiProvider
{
    private const string DefaultVersion = "2024-10-21";

    /// <inheritdoc/>
    public override string Protocol => "azure";

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) => kind is OperationKind.Rerank or OperationKind.Moderations ? null : base.Serve(kind);

    /// <inheritdoc/>
    protected override Uri AddressOf(ProviderTarget target, string route)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        if (path.EndsWith("/openai/v1", StringComparison.Ordinal))
        {
            // Azure's newer form: the model stands in the body, and a version is needed for previews only.
            return WithVersion(target.Under(route), target.ApiVersion);
        }

        target = target.WithoutChatPath();
        path = target.BaseAddress.AbsolutePath.TrimEnd('/');

        var rest = path switch
        {
            _ when path.Contains("/openai/deployments/", StringComparison.Ordinal) => route,
            _ when path.EndsWith("/openai", StringComparison.Ordinal) => $"deployments/{Uri.EscapeDataString(target.Model)}/{route}",
            _ => $"openai/deployments/{Uri.EscapeDataString(target.Model)}/{route}",
        };
        return WithVersion(target.Under(rest), target.ApiVersion ?? DefaultVersion);
    }

    /// <inheritdoc/>
    public override Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream)
    {
        // Azure has it under /openai/v1 alone, where the deployment stands in the body.
        return protocol == SurfaceProtocol.Responses && target.HasResponses ? InNewerForm(target, "responses") : null;
    }

    /// <inheritdoc/>
    public override Uri? StoreAddress(ProviderTarget target, string path) => target.HasBatches ? InNewerForm(target, path) : null;

    // A version is needed for previews only.
    private static Uri InNewerForm(ProviderTarget target, string route)
    {
        var path = target.BaseAddress.AbsolutePath;
        var before = path.IndexOf("/openai", StringComparison.Ordinal) is >= 0 and var at ? path[..at] : path.TrimEnd('/');
        return WithVersion(
            new UriBuilder(target.BaseAddress) { Path = $"{before}/openai/v1/{route}" }.Uri,
            target.ApiVersion is "preview" or "latest" or "v1" ? target.ApiVersion : null);
    }

    /// <inheritdoc/>
    public override void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        if (!string.IsNullOrEmpty(target.ApiKey))
        {
            headers.Add("api-key", target.ApiKey);
        }
    }

    private static Uri WithVersion(Uri address, string? version) =>
        version is null || address.Query.Contains("api-version=", StringComparison.Ordinal)
            ? address
            : new UriBuilder(address) { Query = $"{address.Query.TrimStart('?')}{(address.Query.Length > 1 ? "&" : "")}api-version={Uri.EscapeDataString(version)}" }.Uri;
}
