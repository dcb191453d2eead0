using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;
using Gateway.Pricing;

namespace Gateway.Edge.Chat;

/// <summary>
/// A surface's protocol where client and provider both speak it: the bytes pass, and this reads on their way what the gateway must know.
/// </summary>
internal interface IPassedProtocol
{
    /// <summary>The client's headers that are the protocol's own and reach the provider.</summary>
    IReadOnlyList<string> ForwardedHeaders { get; }

    /// <summary>The one of them that asks for something: where it reaches nobody, that is said. Null for none.</summary>
    string? AskingHeader => null;

    /// <summary>Whether model and streaming are told by the address: then nothing is put into the body.</summary>
    bool NamesModelInAddress => false;

    /// <summary>Whether a stream's usage must be asked for by <c>stream_options</c>.</summary>
    bool TakesStreamOptions => false;

    /// <summary>Where a request says what its own provider would refuse, and what is said instead: a conversation may come from models of others. Empty for nearly all.</summary>
    /// <param name="body">The client's request, known to be a JSON object.</param>
    /// <param name="target">Who gets it: another's server that speaks the protocol may not refuse it.</param>
    IReadOnlyList<Splice> Mends(ReadOnlyMemory<byte> body, Deployment target) => [];

    /// <summary>Reads a whole reply: its usage, null when it reports none, and what else the protocol wants noted of it.</summary>
    /// <exception cref="MalformedReplyException">The reply is not the protocol's.</exception>
    TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply);

    /// <summary>Collects the text of a whole reply that reports no usage, to be counted.</summary>
    void CollectText(ReadOnlySpan<byte> reply, OutputTap tap);

    /// <summary>Starts to watch a stream.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="assembles">Whether the answer is wanted in one piece: a guarded request is streamed though its client does not stream.</param>
    IPassedStream OpenStream(RequestExchange exchange, bool assembles);
}

/// <summary>Watches one stream whose frames pass as they came.</summary>
internal interface IPassedStream
{
    /// <summary>The usage seen so far; null while none was reported.</summary>
    TokenUsage? Usage { get; }

    /// <summary>The service tier that the answer says it was made at; null while it says none.</summary>
    ServiceTier? Tier => null;

    /// <summary>Whether the frame seen last has the usage and nothing else: for the client only if it asked for it.</summary>
    bool IsUsageOnly => false;

    /// <summary>Whether the frame seen last has a usage of the answer as it is then.</summary>
    bool HasUsage { get; }

    /// <summary>Whether the frame seen last is the protocol's own end.</summary>
    bool Ended { get; }

    /// <summary>The error that the provider sent in mid-stream, if it did.</summary>
    ProviderError? Error { get; }

    /// <summary>Notes what a frame says. Its text goes to <paramref name="tap"/>.</summary>
    /// <exception cref="MalformedReplyException">The frame is not the protocol's.</exception>
    void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap);

    /// <summary>The frame that was watched last as its client reads it: as it came, but for a client that reads another framing than the provider sends.</summary>
    SseEvent Framed(SseEvent frame) => frame;

    /// <summary>The answer in one piece, of a stream that was opened to be assembled.</summary>
    ReadOnlyMemory<byte> Assemble();

    /// <summary>Ends the stream with an error of the gateway's.</summary>
    void Fail(GatewayError error, IBufferWriter<byte> output);
}
