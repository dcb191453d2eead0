using System.Buffers;
using System.Net.Http.Headers;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Google's Gemini API.</summary>
internal class GeminiProvider : IChatProvider
{
    /// <inheritdoc/>
    public virtual string Protocol => "gemini";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public virtual Uri ChatAddress(ProviderTarget target, bool stream)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        var version = path.Contains("/v1", StringComparison.Ordinal) ? "" : (target.ApiVersion ?? "v1beta") + "/";
        return target.Under($"{version}models/{Uri.EscapeDataString(target.Model)}{Verb(stream)}").WithSse(stream);
    }

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

    /// <summary>The verb at the address's end.</summary>
    protected static string Verb(bool stream) => stream ? ":streamGenerateContent" : ":generateContent";
}

/// <summary>Google's address of a stream.</summary>
internal static class GeminiAddress
{
    /// <summary>Without this Google streams one large JSON array.</summary>
    public static Uri WithSse(this Uri address, bool stream) => stream ? new UriBuilder(address) { Query = "alt=sse" }.Uri : address;
}
