using System.Buffers;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Mistral;

/// <summary>
/// Mistral: OpenAI's chat, strict about fields that it does not know (<see cref="MistralRequest"/>). It reports the usage of a stream unasked, and what its models thought
/// stands in the content (<see cref="ListedContent"/>).
/// </summary>
internal sealed class MistralProvider : OpenAiProvider
{
    /// <inheritdoc/>
    public override string Protocol => "mistral";

    /// <inheritdoc/>
    public override bool TakesStreamOptions => false;

    /// <inheritdoc/>
    public override bool RewritesOpenAiChat => true;

    /// <inheritdoc/>
    public override void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped) =>
        MistralRequest.Write(request, call, output, dropped);

    /// <inheritdoc/>
    public override byte[]? Mend(ReadOnlySpan<byte> reply, ReplyLosses? losses) => ListedContent.Mend(reply, losses);

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) =>
        kind is OperationKind.Embeddings or OperationKind.Moderations or OperationKind.Transcription ? base.Serve(kind) : null;
}
