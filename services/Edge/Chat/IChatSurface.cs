using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>
/// Another way to say a chat request: how a client speaks. OpenAI's chat is the hub and has no surface: its bytes pass. Any other surface
/// passes too where the provider speaks it; elsewhere it says its request in the hub's words, and gets the hub's answer back to say in its
/// own.
/// </summary>
internal interface IChatSurface
{
    /// <summary>What the usage record calls it (LiteLLM's <c>call_type</c>).</summary>
    string CallType { get; }

    /// <summary>What the client speaks.</summary>
    SurfaceProtocol Protocol { get; }

    /// <summary>The media type of a streamed answer.</summary>
    string StreamType => "text/event-stream";

    /// <summary>Whether an answer of the surface has a place for pictures that a model made.</summary>
    bool ShowsPictures => false;

    /// <summary>Whether an answer of the surface has a place for the pages that it cites.</summary>
    bool ShowsCitations => false;

    /// <summary>Reads what passes to a provider of the same protocol.</summary>
    IPassedProtocol Passed { get; }

    /// <summary>Reads what the edge must know of a request; the error says what is wrong with it.</summary>
    GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head);

    /// <summary>Looks up what a granted request leans on, before it holds anything; the error says why it cannot go on.</summary>
    ValueTask<GatewayError?> PrepareAsync(RequestExchange exchange) => default;

    /// <summary>The request in OpenAI's chat format.</summary>
    /// <param name="request">Known to be a JSON object.</param>
    /// <param name="provider">Who will get it. To one that speaks OpenAI's chat these bytes go as they are; any other translates them on, and understands Anthropic's extensions.</param>
    /// <param name="providerModel">The provider's name of the model.</param>
    /// <param name="dropped">Takes what cannot be said.</param>
    /// <param name="output">Takes the hub's body.</param>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output);

    /// <summary>The whole answer in the surface's format.</summary>
    void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output);

    /// <summary>Starts a streamed answer.</summary>
    ChatSurfaceStream OpenStream(RequestExchange exchange);

    /// <summary>Writes an error's body.</summary>
    void WriteError(GatewayError error, IBufferWriter<byte> output);
}
