using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Messages;

/// <summary>Anthropic's <c>/v1/messages/count_tokens</c>.</summary>
internal sealed class MessagesCounted(MessagesSurface surface) : ICountedSurface
{
    public IChatSurface Surface => surface;

    public string Member => "input_tokens";

    public Uri? Address(Deployment target) => target.CountTokensAddress;

    public List<Splice> Splices(ReadOnlyMemory<byte> body, in RequestHead head, Deployment target) =>
        Splice.ForOpenAi(body.Span, head, target.ModelJson, forceStream: false, takesStreamOptions: false, surface.Passed.Mends(body, target));
}
