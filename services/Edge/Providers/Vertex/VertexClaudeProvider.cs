using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Edge.Providers.Anthropic;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>Anthropic's models on Google Vertex AI: Anthropic's messages at Vertex AI's address, with its token.</summary>
internal sealed class VertexClaudeProvider : AnthropicProvider
{
    /// <inheritdoc/>
    public override string Protocol => "vertex-claude";

    /// <inheritdoc/>
    public override bool WrapsPassed => true;

    /// <inheritdoc/>
    public override Uri ChatAddress(ProviderTarget target, bool stream) =>
        VertexAccess.AddressOf(target, "anthropic", target.Model, stream ? ":streamRawPredict" : ":rawPredict");

    /// <inheritdoc/>
    public override Uri CountTokensAddress(ProviderTarget target) => VertexAccess.AddressOf(target, "anthropic", "count-tokens", ":rawPredict");

    /// <inheritdoc/>
    public override void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        // The version stands in the body, and the token is fetched: SignAsync.
    }

    /// <inheritdoc/>
    public override void AddHeadersFor(ReadOnlyMemory<byte> body, HttpRequestHeaders headers)
    {
        // What Anthropic keeps or runs itself is not there.
    }

    /// <inheritdoc/>
    public override ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation) =>
        VertexAccess.SignAsync(target, request, cancellation);

    /// <inheritdoc/>
    public override void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped)
    {
        var said = new ArrayBufferWriter<byte>(request.Length + 256);
        base.WriteRequest(request, call, said, dropped);
        VertexClaudeBody.Write(said.WrittenSpan, keepsModel: false, output);
    }

    /// <inheritdoc/>
    public override void WrapPassed(ReadOnlySpan<byte> body, bool counts, IBufferWriter<byte> output) => VertexClaudeBody.Write(body, keepsModel: counts, output);
}
