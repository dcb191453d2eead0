using System.Net.Http.Headers;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers.Gemini;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>Google Vertex AI: Gemini's protocol in a project of the customer's, with a token of a service account.</summary>
internal sealed class VertexProvider : GeminiProvider
{
    private static readonly ServiceAccountTokens Tokens = new(TimeProvider.System);

    private readonly VertexEmbeddings embeddings;

    public VertexProvider() => embeddings = new VertexEmbeddings(AddressOf);

    /// <inheritdoc/>
    public override string Protocol => "vertex";

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) => kind == OperationKind.Embeddings ? embeddings : base.Serve(kind);

    /// <inheritdoc/>
    protected override Uri AddressOf(ProviderTarget target, string verb)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        var location = target.Cloud?.Region ?? "global";
        var model = Uri.EscapeDataString(target.Model);
        var rest = path switch
        {
            _ when path.Contains("/publishers/", StringComparison.Ordinal) => $"models/{model}{verb}",
            _ when path.Contains("/projects/", StringComparison.Ordinal) => $"publishers/google/models/{model}{verb}",
            _ => $"{target.ApiVersion ?? "v1"}/projects/{target.Cloud?.Project}/locations/{location}/publishers/google/models/{model}{verb}",
        };
        return target.Under(rest);
    }

    /// <inheritdoc/>
    public override void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        // The token is fetched: SignAsync.
    }

    /// <inheritdoc/>
    public override ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var credentials = target.Cloud?.Credentials ?? target.ApiKey;
        if (string.IsNullOrEmpty(credentials))
        {
            return default;
        }

        if (credentials.StartsWith("ya29.", StringComparison.Ordinal))
        {
            // A token that somebody fetched already. The header's own check would quote it.
            if (credentials.Any(char.IsControl))
            {
                throw new CredentialException("The token is not fit for a header: it has a line break or another control character.");
            }

            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credentials);
            return default;
        }

        var token = Tokens.GetAsync(credentials, cancellation);
        if (token.IsCompletedSuccessfully)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.GetAwaiter().GetResult());
            return default;
        }

        return AddAsync(request, token);
    }

    private static async ValueTask AddAsync(HttpRequestMessage request, ValueTask<string> token) =>
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await token);
}
