using System.Net.Http.Headers;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers.Gemini;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>Google Vertex AI: Gemini's protocol in a project of the customer's, with a token of a service account.</summary>
internal sealed class VertexProvider : GeminiProvider
{
    private static readonly VertexClaudeProvider Claude = new();

    private readonly VertexEmbeddings embeddings;

    public VertexProvider() => embeddings = new VertexEmbeddings(AddressOf);

    /// <inheritdoc/>
    public override string Protocol => "vertex";

    /// <inheritdoc/>
    public override IChatProvider For(string model) => model.StartsWith("claude", StringComparison.OrdinalIgnoreCase) ? Claude : this;

    /// <inheritdoc/>
    public override Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) =>
        // Its embeddings are asked for in words of its own.
        protocol is SurfaceProtocol.GeminiEmbed or SurfaceProtocol.GeminiBatchEmbed ? null : base.PassedAddress(target, protocol, stream);

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) => kind == OperationKind.Embeddings ? embeddings : base.Serve(kind);

    /// <inheritdoc/>
    protected override Uri AddressOf(ProviderTarget target, string verb) => VertexAccess.AddressOf(target, "google", target.Model, verb);

    /// <inheritdoc/>
    public override void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        // The token is fetched: SignAsync.
    }

    /// <inheritdoc/>
    public override ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation) =>
        VertexAccess.SignAsync(target, request, cancellation);
}
