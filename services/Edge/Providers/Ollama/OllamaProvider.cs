using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Edge.Operations;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>Ollama's own chat API, which shows thinking and takes options that its OpenAI form does not.</summary>
internal sealed class OllamaProvider : IChatProvider
{
    private static readonly OllamaEmbeddings Embeddings = new();

    /// <inheritdoc/>
    public string Protocol => "ollama";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public Uri ChatAddress(ProviderTarget target, bool stream) => target.Under("api/chat");

    /// <inheritdoc/>
    public Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => protocol switch
    {
        SurfaceProtocol.OllamaChat => ChatAddress(target, stream),
        SurfaceProtocol.OllamaGenerate => target.Under("api/generate"),
        SurfaceProtocol.OllamaEmbed => target.Under("api/embed"),
        SurfaceProtocol.OllamaEmbeddings => target.Under("api/embeddings"),
        _ => null,
    };

    /// <inheritdoc/>
    public IUpstreamOperation? Serve(OperationKind kind) => kind == OperationKind.Embeddings ? Embeddings : null;

    /// <inheritdoc/>
    public void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        if (!string.IsNullOrEmpty(target.ApiKey))
        {
            headers.Add("Authorization", "Bearer " + target.ApiKey);
        }
    }

    /// <inheritdoc/>
    public void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped) =>
        OllamaRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output) => OllamaReply.Read(reply, call, output);

    /// <inheritdoc/>
    public IChatStream OpenStream(in ChatCall call) => new OllamaStream(call);

    /// <inheritdoc/>
    public FrameReader OpenFrames() => new LinesReader();

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => OpenAi.OpenAiError.Read(status, body);
}
