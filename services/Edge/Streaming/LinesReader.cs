using Gateway.Edge.Providers;

namespace Gateway.Edge.Streaming;

/// <summary>Reads a stream of JSON values, one a line (Ollama). A frame's data is the line, its raw bytes have the line's end.</summary>
/// <param name="frameBytesMax">The longest line accepted.</param>
internal sealed class LinesReader(int frameBytesMax = FrameReader.DefaultFrameBytesMax) : FrameReader
{
    private readonly PendingBytes pending = new();
    private int scannedTo;
    private int given;

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<byte> bytes)
    {
        DropGiven();
        pending.Append(bytes);
    }

    /// <inheritdoc/>
    public override bool TryRead(out SseEvent frame)
    {
        DropGiven();
        var bytes = pending.Span;
        var found = bytes[scannedTo..].IndexOf((byte)'\n');
        if ((found < 0 ? bytes.Length : scannedTo + found) > frameBytesMax)
        {
            throw new MalformedReplyException($"A line of the stream is longer than {frameBytesMax} bytes.");
        }

        if (found < 0)
        {
            scannedTo = bytes.Length;
            frame = default;
            return false;
        }

        frame = Give(bytes[..(scannedTo + found + 1)]);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryReadLast(out SseEvent frame)
    {
        DropGiven();
        frame = pending.Span.IsEmpty ? default : Give(pending.Span);
        return given > 0;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> FrameEnd => "\n"u8;

    /// <inheritdoc/>
    public override void Dispose() => pending.Dispose();

    private SseEvent Give(ReadOnlySpan<byte> raw)
    {
        given = raw.Length;
        var line = raw.Trim(" \t\r\n"u8);
        return new SseEvent(raw, default, line, !line.IsEmpty);
    }

    private void DropGiven()
    {
        if (given > 0)
        {
            pending.Drop(given);
            given = scannedTo = 0;
        }
    }
}
