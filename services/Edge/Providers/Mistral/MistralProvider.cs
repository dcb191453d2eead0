using Gateway.Edge.Operations;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Mistral;

/// <summary>Mistral: OpenAI's chat, strict about fields that it does not know. It reports the usage of a stream unasked.</summary>
internal sealed class MistralProvider : OpenAiProvider
{
    /// <inheritdoc/>
    public override string Protocol => "mistral";

    /// <inheritdoc/>
    public override bool TakesStreamOptions => false;

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) =>
        kind is OperationKind.Embeddings or OperationKind.Moderations or OperationKind.Transcription ? base.Serve(kind) : null;
}
