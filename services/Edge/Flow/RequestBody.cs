using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Edge.Flow;

/// <summary>A request's body in one pooled piece.</summary>
internal struct RequestBody : IDisposable
{
    private byte[]? rented;
    private int length;

    public readonly ReadOnlyMemory<byte> Memory => rented.AsMemory(0, length);

    public readonly ReadOnlySpan<byte> Span => rented.AsSpan(0, length);

    /// <summary>Reads the whole body, no more than <paramref name="bytesMax"/>; null when it is larger.</summary>
    public static async ValueTask<RequestBody?> ReadAsync(HttpRequest request, long bytesMax, CancellationToken cancellation)
    {
        if (request.ContentLength > bytesMax)
        {
            return null;
        }

        var reader = request.BodyReader;
        if (request.ContentLength is { } known)
        {
            // The server may hold it already, whole.
            var body = new RequestBody { rented = ArrayPool<byte>.Shared.Rent((int)known) };
            try
            {
                while (true)
                {
                    var read = await reader.ReadAsync(cancellation);
                    var buffer = read.Buffer;
                    buffer.CopyTo(body.rented.AsSpan(body.length));
                    body.length += (int)buffer.Length;
                    reader.AdvanceTo(buffer.End);
                    if (read.IsCompleted)
                    {
                        return body;
                    }
                }
            }
            catch
            {
                body.Dispose();
                throw;
            }
        }

        return await ReadUnknownLengthAsync(reader, bytesMax, cancellation);
    }

    /// <summary>A body made here: the request in other words.</summary>
    public static RequestBody Of(ReadOnlySpan<byte> bytes)
    {
        var body = new RequestBody { rented = ArrayPool<byte>.Shared.Rent(bytes.Length), length = bytes.Length };
        bytes.CopyTo(body.rented);
        return body;
    }

    public void Dispose()
    {
        if (rented is { } array)
        {
            rented = null;
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static async ValueTask<RequestBody?> ReadUnknownLengthAsync(PipeReader reader, long bytesMax, CancellationToken cancellation)
    {
        var body = new RequestBody { rented = ArrayPool<byte>.Shared.Rent(16 * 1024) };
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellation);
                var buffer = read.Buffer;
                if (body.length + buffer.Length > bytesMax)
                {
                    reader.AdvanceTo(buffer.End);
                    body.Dispose();
                    return null;
                }

                if (body.rented!.Length - body.length < buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, (body.length + buffer.Length) * 2));
                    body.Span.CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(body.rented);
                    body.rented = larger;
                }

                buffer.CopyTo(body.rented.AsSpan(body.length));
                body.length += (int)buffer.Length;
                reader.AdvanceTo(buffer.End);
                if (read.IsCompleted)
                {
                    return body;
                }
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }
}
