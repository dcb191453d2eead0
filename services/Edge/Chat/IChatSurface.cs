using System.Buffers;
using Gateway.Contracts;

namespace Gateway.Edge.Chat;

/// <summary>
/// Another way to say a chat request: how a client speaks. OpenAI's chat is the hub and has no surface: its bytes pass. Any other surface
/// says its request in the hub's words, and gets the hub's answer back to say in its own.
/// </summary>
internal interface IChatSurface
{
    /// <summary>What the usage record calls it (LiteLLM's <c>call_type</c>).</summary>
    string CallType { get; }

    /// <summary>The request in OpenAI's chat format.</summary>
    /// <exception cref="Providers.UntranslatableRequestException">It cannot be said.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is no JSON.</exception>
    void WriteRequest(ReadOnlyMemory<byte> request, IBufferWriter<byte> output);

    /// <summary>The whole answer in the surface's format.</summary>
    void WriteReply(ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output);

    /// <summary>Starts a streamed answer.</summary>
    IChatSurfaceStream OpenStream(ChatExchange exchange);

    /// <summary>Writes an error as the whole answer.</summary>
    Task WriteErrorAsync(HttpContext context, GatewayError error);
}

/// <summary>One streamed answer in a surface's format.</summary>
internal interface IChatSurfaceStream : IDisposable
{
    /// <summary>Takes frames of OpenAI's stream.</summary>
    void Read(ReadOnlySpan<byte> frames, IBufferWriter<byte> output);

    /// <summary>The answer is complete.</summary>
    void End(TokenUsage usage, IBufferWriter<byte> output);

    /// <summary>The answer ends with an error.</summary>
    void Fail(GatewayError error, IBufferWriter<byte> output);
}
