using System.Buffers;

namespace Gateway.Edge.Streaming;

/// <summary>Bytes that have come and are not used up: in a pooled buffer, which is given back when none are left.</summary>
internal sealed class PendingBytes : IDisposable
{
    private byte[]? buffer;
    private int start;
    private int end;

    /// <summary>The bytes, in order; invalid after any other call.</summary>
    public ReadOnlySpan<byte> Span => buffer.AsSpan(start, end - start);

    /// <summary>Adds bytes at the end.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var held = end - start;
        if (buffer is null || buffer.Length - end < bytes.Length)
        {
            var next = buffer is not null && buffer.Length >= held + bytes.Length
                ? buffer
                : ArrayPool<byte>.Shared.Rent(Math.Max(held + bytes.Length, 2 * held));
            Span.CopyTo(next);
            if (buffer is not null && next != buffer)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            (buffer, start, end) = (next, 0, held);
        }

        bytes.CopyTo(buffer.AsSpan(end));
        end += bytes.Length;
    }

    /// <summary>Takes bytes away at the beginning.</summary>
    public void Drop(int count)
    {
        start += count;
        if (start == end)
        {
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        (buffer, start, end) = (null, 0, 0);
    }
}
