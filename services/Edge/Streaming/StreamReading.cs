using System.Buffers;

namespace Gateway.Edge.Streaming;

/// <summary>Reads what is small as a whole.</summary>
internal static class StreamReading
{
    /// <summary>All bytes of a stream; null when they are more than <paramref name="bytesMax"/>.</summary>
    public static async Task<byte[]?> ReadAllAsync(this Stream stream, int bytesMax, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bytesMax + 1);
        try
        {
            var length = await stream.ReadAtLeastAsync(buffer.AsMemory(0, bytesMax + 1), bytesMax + 1, throwOnEndOfStream: false, cancellation);
            return length > bytesMax ? null : buffer[..length];
        }
        finally
        {
            // It may have held a credential.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
