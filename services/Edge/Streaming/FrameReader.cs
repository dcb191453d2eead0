namespace Gateway.Edge.Streaming;

/// <summary>
/// Cuts a streamed reply into frames, whatever the pieces in which its bytes arrive. Every byte appended comes out in exactly one frame's
/// <see cref="SseEvent.Raw"/>. For each piece: <c>Append</c>, then <c>TryRead</c> until it gives false; at the stream's end
/// <c>TryReadLast</c> once.
/// </summary>
internal abstract class FrameReader : IDisposable
{
    /// <summary>The largest frame accepted by default: a picture in base64 fits, a frame that never ends does not fill the memory.</summary>
    public const int DefaultFrameBytesMax = 8 * 1024 * 1024;

    /// <summary>Takes the next bytes. The frame given last is invalid afterwards.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Gives the next whole frame. The frame given before is invalid afterwards.</summary>
    /// <exception cref="Providers.MalformedReplyException">A frame is larger than the bound, or breaks the framing.</exception>
    public abstract bool TryRead(out SseEvent frame);

    /// <summary>
    /// At the end of the stream: what stands after the last whole frame. Some providers leave out the end of their last frame; if the stream
    /// was cut, the data is half of something.
    /// </summary>
    public abstract bool TryReadLast(out SseEvent frame);

    /// <summary>What ends a frame: a blank line, unless the protocol ends it otherwise.</summary>
    public virtual ReadOnlySpan<byte> FrameEnd => "\n\n"u8;

    /// <summary>Gives the buffers back.</summary>
    public abstract void Dispose();
}

/// <summary>One frame of a stream. Its spans point into the reader and are valid until the reader's next call.</summary>
internal readonly ref struct SseEvent(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, bool hasData)
{
    /// <summary>The bytes as they came, with what ends the frame: what a relay passes on unchanged.</summary>
    public ReadOnlySpan<byte> Raw { get; } = raw;

    /// <summary>The event's name (<c>event:</c>); empty when it has none.</summary>
    public ReadOnlySpan<byte> Name { get; } = name;

    /// <summary>The event's data: the <c>data:</c> lines joined by a line feed.</summary>
    public ReadOnlySpan<byte> Data { get; } = data;

    /// <summary>Whether there is data: false for a comment that keeps the connection alive, to be relayed and otherwise ignored.</summary>
    public bool HasData { get; } = hasData;
}
