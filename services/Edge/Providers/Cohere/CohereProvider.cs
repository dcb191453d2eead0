using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Edge.Operations;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Cohere's v2 chat.</summary>
internal sealed class CohereProvider : IChatProvider
{
    private static readonly CohereEmbeddings Embeddings = new();
    private static readonly CohereRerank Rerank = new();

    /// <inheritdoc/>
    public string Protocol => "cohere";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public Uri ChatAddress(ProviderTarget target, bool stream) => CohereAddress.Of(target, "chat");

    /// <inheritdoc/>
    public Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => protocol switch
    {
        SurfaceProtocol.CohereChat => ChatAddress(target, stream),
        SurfaceProtocol.CohereEmbed => CohereAddress.Of(target, "embed"),
        _ => null,
    };

    /// <inheritdoc/>
    public IUpstreamOperation? Serve(OperationKind kind) => kind switch
    {
        OperationKind.Embeddings => Embeddings,
        OperationKind.Rerank => Rerank,
        _ => null,
    };

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
        CohereRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output) => CohereReply.Read(reply, call, output);

    /// <inheritdoc/>
    public IChatStream OpenStream(in ChatCall call) => new CohereStream(call);

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => CohereReply.ReadError(status, body);
}
