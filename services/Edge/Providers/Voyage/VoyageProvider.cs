using Gateway.Edge.Operations;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Voyage;

/// <summary>Voyage AI: embeddings in OpenAI's form, and a rerank in words of its own.</summary>
internal sealed class VoyageProvider : OpenAiProvider
{
    private readonly VoyageRerank rerank;

    public VoyageProvider() => rerank = new VoyageRerank(target => AddressOf(target, "rerank"));

    /// <inheritdoc/>
    public override string Protocol => "voyage";

    /// <inheritdoc/>
    public override IUpstreamOperation? Serve(OperationKind kind) => kind switch
    {
        OperationKind.Embeddings => base.Serve(kind),
        OperationKind.Rerank => rerank,
        _ => null,
    };
}
