using System.Buffers;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Streaming;

/// <summary>
/// Reads server-sent events. It holds a pooled buffer only while a frame is unfinished, so an idle stream costs no buffer, and it allocates
/// nothing per event.
/// </summary>
/// <param name="frameBytesMax">The largest frame accepted; a larger one is the provider's fault.</param>
internal sealed class SseReader(int frameBytesMax = FrameReader.DefaultFrameBytesMax) : FrameReader
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private byte[]? buffer;
    private int start;
    private int end;

    // Positions in the unfinished frame, relative to start: moving the bytes does not touch them.
    private int lineAt;
    private int scannedTo;
    private Field name;
    private Field data;
    private int dataLines;

    // Only a frame with several data lines needs its data copied together.
    private byte[]? joined;
    private int joinedLength;

    private int givenLength;
    private bool beforeFirstLine = true;
    private bool linesEndInCrLf;
    private bool lineFeedMayFollow;

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<byte> bytes)
    {
        DropGivenFrame();
        if (!bytes.IsEmpty)
        {
            Reserve(bytes.Length);
            bytes.CopyTo(buffer.AsSpan(end));
            end += bytes.Length;
        }
    }

    /// <inheritdoc/>
    public override bool TryRead(out SseEvent frame)
    {
        DropGivenFrame();
        while (TryFindLine(out var length, out var next))
        {
            TakeLine(lineAt, length);
            lineAt = scannedTo = next;
            if (length == 0)
            {
                frame = Give(next);
                return true;
            }
        }

        RefuseTooLarge(end - start);
        frame = default;
        return false;
    }

    /// <inheritdoc/>
    public override bool TryReadLast(out SseEvent frame)
    {
        DropGivenFrame();
        var held = end - start;
        if (held == 0)
        {
            frame = default;
            return false;
        }

        // A CR at the very end was held back in case an LF followed: now it can only end its line.
        var endsInCr = held > lineAt && buffer![end - 1] == (byte)'\r';
        TakeLine(lineAt, held - lineAt - (endsInCr ? 1 : 0));
        frame = Give(held);
        return true;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Return(ref buffer);
        Return(ref joined);
        start = end = 0;
    }

    /// <summary>Whether the end of the line at <see cref="lineAt"/> has come; its length without it, and where the next line begins.</summary>
    private bool TryFindLine(out int length, out int next)
    {
        ReadOnlySpan<byte> frame = buffer.AsSpan(start, end - start);
        if (lineFeedMayFollow && frame.Length > lineAt)
        {
            // The LF of a CR that has ended a line already: it stays in the frame's bytes and is part of no line.
            lineFeedMayFollow = false;
            if (frame[lineAt] == (byte)'\n')
            {
                linesEndInCrLf = true;
                scannedTo = ++lineAt;
            }
        }

        length = next = 0;
        var found = frame[scannedTo..].IndexOfAny(LineEnds);
        if (found < 0)
        {
            scannedTo = frame.Length;
            return false;
        }

        var at = scannedTo + found;
        next = at + 1;
        if (frame[at] == (byte)'\n')
        {
            linesEndInCrLf = false;
        }
        else if (next < frame.Length)
        {
            linesEndInCrLf = frame[next] == (byte)'\n';
            next += linesEndInCrLf ? 1 : 0;
        }
        else if (linesEndInCrLf)
        {
            // The LF is on its way, and belongs to this frame.
            scannedTo = at;
            return false;
        }
        else
        {
            // A stream that ends its lines in CR alone must not wait for a byte that may come in a minute.
            lineFeedMayFollow = true;
        }

        length = at - lineAt;
        return true;
    }

    private void TakeLine(int at, int length)
    {
        ReadOnlySpan<byte> line = buffer.AsSpan(start + at, length);
        if (beforeFirstLine)
        {
            beforeFirstLine = false;
            if (line.StartsWith("\uFEFF"u8))
            {
                line = line[3..];
                at += 3;
            }
        }

        if (IsField(line, "data"u8))
        {
            TakeData(Value(line, at, 5));
        }
        else if (IsField(line, "event"u8))
        {
            name = Value(line, at, 6);
        }

        // id and retry are for a browser that reconnects; a line that begins with a colon is a comment.
    }

    private void TakeData(Field value)
    {
        if (++dataLines == 1)
        {
            data = value;
            return;
        }

        if (dataLines == 2)
        {
            Join(data);
        }

        GrowJoined(1);
        joined![joinedLength++] = (byte)'\n';
        Join(value);
    }

    private void Join(Field value)
    {
        GrowJoined(value.Length);
        buffer.AsSpan(start + value.At, value.Length).CopyTo(joined.AsSpan(joinedLength));
        joinedLength += value.Length;
    }

    private void GrowJoined(int by)
    {
        if (joined is not null && joined.Length - joinedLength >= by)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(joinedLength + by, 2 * joinedLength));
        joined.AsSpan(0, joinedLength).CopyTo(larger);
        Return(ref joined);
        joined = larger;
    }

    private SseEvent Give(int length)
    {
        RefuseTooLarge(length);
        givenLength = length;
        ReadOnlySpan<byte> frame = buffer.AsSpan(start, length);
        var text = dataLines > 1 ? joined.AsSpan(0, joinedLength) : frame.Slice(data.At, data.Length);
        return new SseEvent(frame, frame.Slice(name.At, name.Length), text, dataLines > 0);
    }

    /// <summary>The frame given last was the caller's until now.</summary>
    private void DropGivenFrame()
    {
        if (givenLength > 0)
        {
            start += givenLength;
            lineAt = scannedTo = dataLines = joinedLength = givenLength = 0;
            name = data = default;
        }

        if (start == end && buffer is not null)
        {
            Dispose();
        }
    }

    private void Reserve(int more)
    {
        var held = end - start;
        if (buffer is not null && buffer.Length - end >= more)
        {
            return;
        }

        if (buffer is not null && buffer.Length >= held + more)
        {
            buffer.AsSpan(start, held).CopyTo(buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(held + more, 2 * held));
            buffer.AsSpan(start, held).CopyTo(larger);
            Return(ref buffer);
            buffer = larger;
        }

        start = 0;
        end = held;
    }

    private void RefuseTooLarge(int length)
    {
        if (length > frameBytesMax)
        {
            throw new MalformedReplyException($"A frame of the stream is larger than {frameBytesMax} bytes.");
        }
    }

    private static bool IsField(ReadOnlySpan<byte> line, ReadOnlySpan<byte> field) =>
        line.StartsWith(field) && (line.Length == field.Length || line[field.Length] == (byte)':');

    private static Field Value(ReadOnlySpan<byte> line, int at, int from)
    {
        if (from < line.Length && line[from] == (byte)' ')
        {
            from++;
        }

        return from < line.Length ? new Field(at + from, line.Length - from) : default;
    }

    private static void Return(ref byte[]? array)
    {
        if (array is not null)
        {
            ArrayPool<byte>.Shared.Return(array);
            array = null;
        }
    }

    /// <summary>A field's value in the frame.</summary>
    private readonly record struct Field(int At, int Length);
}
