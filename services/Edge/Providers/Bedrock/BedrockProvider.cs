using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Edge.Operations;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Amazon Bedrock's Converse, the one form of all its models.</summary>
internal sealed class BedrockProvider : IChatProvider
{
    private static readonly BedrockEmbeddings Embeddings = new();
    private static readonly BedrockRerank Rerank = new();

    /// <inheritdoc/>
    public string Protocol => "bedrock";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => false;

    /// <inheritdoc/>
    public Uri ChatAddress(ProviderTarget target, bool stream)
    {
        // A model may be an ARN with colons and slashes: one segment of the path all the same.
        var model = target.Model.StartsWith("converse/", StringComparison.Ordinal) ? target.Model["converse/".Length..] : target.Model;
        return target.Under($"model/{Uri.EscapeDataString(model)}/{(stream ? "converse-stream" : "converse")}");
    }

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
        // One of Bedrock's API keys; access keys sign instead.
        if (!string.IsNullOrEmpty(target.ApiKey) && target.Cloud?.AccessKeyId is null)
        {
            headers.Add("Authorization", "Bearer " + target.ApiKey);
        }
    }

    /// <inheritdoc/>
    public ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (target.Cloud is { AccessKeyId: { } id, SecretAccessKey: { } secret } cloud)
        {
            AwsSignature.Sign(request, body.Span, new AwsCredentials(id, secret, cloud.SessionToken), cloud.Region ?? RegionIn(target.BaseAddress), "bedrock", TimeProvider.System.GetUtcNow());
        }

        return default;
    }

    /// <inheritdoc/>
    public void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped) =>
        BedrockRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output) => BedrockReply.Read(reply, call, output);

    /// <inheritdoc/>
    public IChatStream OpenStream(in ChatCall call) => new BedrockStream(call);

    /// <inheritdoc/>
    public FrameReader OpenFrames() => new EventStreamReader();

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => BedrockReply.ReadError(status, body);

    /// <summary>The region in <c>bedrock-runtime.eu-west-1.amazonaws.com</c>.</summary>
    private static string RegionIn(Uri address)
    {
        var labels = address.Host.Split('.');
        return labels.Length > 2 && labels[0].StartsWith("bedrock", StringComparison.Ordinal) ? labels[1] : "us-east-1";
    }
}
