using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>
/// One operation other than chat as one protocol speaks it. The hub's words are OpenAI's (Cohere's for rerank): a protocol that speaks them
/// passes bytes through, any other translates. Stateless, as its <see cref="IChatProvider"/>, whose headers, signature and errors it shares.
/// </summary>
internal interface IUpstreamOperation
{
    /// <summary>Whether the bytes pass, but for the model's name. The write and read methods below are then not called.</summary>
    bool Passes { get; }

    /// <summary>The address of one call.</summary>
    Uri Address(ProviderTarget target);

    /// <summary>Writes the provider's request.</summary>
    /// <param name="request">The caller's JSON object.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="output">Takes the provider's body; a list of bodies, where the provider takes one at a time and is asked for several (<see cref="Flow.SeveralCalls"/>).</param>
    /// <param name="dropped">Takes what the provider cannot be told.</param>
    /// <exception cref="UntranslatableRequestException">The request cannot be said in this protocol: 400 for the caller.</exception>
    void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped);

    /// <summary>Writes the hub's reply for the provider's.</summary>
    /// <param name="reply">The body of a reply with a 2xx status; of several calls, their bodies as <c>{"replies":[…]}</c>.</param>
    /// <param name="call">The call that it answers.</param>
    /// <param name="output">Takes the hub's body.</param>
    /// <returns>Whether the usage in it is the provider's; false when it had to be counted here.</returns>
    /// <exception cref="MalformedReplyException">The reply is not the protocol's.</exception>
    bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output);
}

/// <summary>A call that was answered.</summary>
/// <param name="Call">What the gateway decided.</param>
/// <param name="Request">The caller's body.</param>
/// <param name="Headers">The reply's headers.</param>
internal readonly record struct OperationCall(ChatCall Call, ReadOnlyMemory<byte> Request, HttpResponseHeaders Headers);

/// <summary>An operation whose words are the provider's own.</summary>
/// <param name="address">The address of one call.</param>
internal sealed class PassingOperation(Func<ProviderTarget, Uri> address) : IUpstreamOperation
{
    public bool Passes => true;

    public Uri Address(ProviderTarget target) => address(target);

    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped) => throw new NotSupportedException("The bytes pass.");

    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output) => throw new NotSupportedException("The bytes pass.");
}
