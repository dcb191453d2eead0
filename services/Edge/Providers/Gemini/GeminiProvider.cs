using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Edge.Operations;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Google's Gemini API.</summary>
internal class GeminiProvider : IChatProvider
{
    private readonly GeminiEmbeddings embeddings;
    private readonly ImagenImages images;

    public GeminiProvider()
    {
        embeddings = new GeminiEmbeddings(AddressOf);
        images = new ImagenImages(AddressOf);
    }

    /// <inheritdoc/>
    public virtual string Protocol => "gemini";

    /// <inheritdoc/>
    public virtual IChatProvider For(string model) => this;

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public bool TakesGeminiSignatures => true;

    /// <inheritdoc/>
    public Uri ChatAddress(ProviderTarget target, bool stream) => AddressOf(target, stream ? ":streamGenerateContent" : ":generateContent").WithSse(stream);

    /// <inheritdoc/>
    public virtual Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => protocol switch
    {
        SurfaceProtocol.GeminiGenerate => ChatAddress(target, stream),
        SurfaceProtocol.GeminiCount => AddressOf(target, ":countTokens"),
        SurfaceProtocol.GeminiEmbed => AddressOf(target, ":embedContent"),
        SurfaceProtocol.GeminiBatchEmbed => AddressOf(target, ":batchEmbedContents"),
        _ => null,
    };

    /// <inheritdoc/>
    public virtual IUpstreamOperation? Serve(OperationKind kind) => kind switch
    {
        OperationKind.Embeddings => embeddings,
        OperationKind.Images => images,
        _ => null,
    };

    /// <inheritdoc/>
    public virtual void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        if (!string.IsNullOrEmpty(target.ApiKey))
        {
            headers.Add("x-goog-api-key", target.ApiKey);
        }
    }

    /// <inheritdoc/>
    public virtual ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation) => default;

    /// <inheritdoc/>
    public void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped) =>
        GeminiRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output) => GeminiReply.Read(reply, call, output);

    /// <inheritdoc/>
    public IChatStream OpenStream(in ChatCall call) => new GeminiStream(call);

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => GeminiReply.ReadError(status, body);

    /// <summary>The address of a verb on the model.</summary>
    protected virtual Uri AddressOf(ProviderTarget target, string verb)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        var version = path.Contains("/v1", StringComparison.Ordinal) ? "" : (target.ApiVersion ?? "v1beta") + "/";
        return target.Under($"{version}models/{Uri.EscapeDataString(target.Model)}{verb}");
    }
}

/// <summary>Google's address of a stream.</summary>
internal static class GeminiAddress
{
    /// <summary>Without this Google streams one large JSON array.</summary>
    public static Uri WithSse(this Uri address, bool stream) => stream ? new UriBuilder(address) { Query = "alt=sse" }.Uri : address;
}
