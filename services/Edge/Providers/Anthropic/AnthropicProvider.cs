using System.Buffers;
using System.Net.Http.Headers;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>Anthropic's messages API.</summary>
internal class AnthropicProvider : IChatProvider
{
    private const string DefaultVersion = "2023-06-01";

    /// <inheritdoc/>
    public virtual string Protocol => "anthropic";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public virtual Uri ChatAddress(ProviderTarget target, bool stream) =>
        target.Under(target.BaseAddress.AbsolutePath.TrimEnd('/').EndsWith("/v1", StringComparison.Ordinal) ? "messages" : "v1/messages");

    /// <inheritdoc/>
    public virtual bool WrapsPassed => false;

    /// <inheritdoc/>
    public Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => protocol == SurfaceProtocol.Messages ? ChatAddress(target, stream) : null;

    /// <inheritdoc/>
    public virtual Uri CountTokensAddress(ProviderTarget target)
    {
        var messages = new UriBuilder(ChatAddress(target, stream: false));
        messages.Path += "/count_tokens";
        return messages.Uri;
    }

    /// <inheritdoc/>
    public virtual void WrapPassed(ReadOnlySpan<byte> body, bool counts, IBufferWriter<byte> output) => output.Write(body);

    /// <inheritdoc/>
    public virtual void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        headers.Add("anthropic-version", target.ApiVersion ?? DefaultVersion);
        if (!string.IsNullOrEmpty(target.ApiKey))
        {
            headers.Add("x-api-key", target.ApiKey);
        }
    }

    /// <inheritdoc/>
    public virtual void AddHeadersFor(ReadOnlyMemory<byte> body, HttpRequestHeaders headers) => AnthropicBetas.Add(body, headers);

    /// <inheritdoc/>
    public virtual ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation) => default;

    /// <inheritdoc/>
    public virtual void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped) =>
        AnthropicRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output) => AnthropicReply.Read(reply, call, output);

    /// <inheritdoc/>
    public IChatStream OpenStream(in ChatCall call) => new AnthropicStream(call);

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => AnthropicReply.ReadError(status, body);
}
