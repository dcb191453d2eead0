using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Streaming;

/// <summary>
/// Reads Amazon's binary event stream: lengths, headers, payload and checksums. A frame's name is its event's or its exception's type, its
/// data the payload. An error that no exception describes stands in the headers: it is named <c>error</c>, and its data is
/// <c>{"__type":code,"message":words}</c>, as in the body of such a reply.
/// </summary>
/// <param name="frameBytesMax">The largest message accepted.</param>
internal sealed class EventStreamReader(int frameBytesMax = FrameReader.DefaultFrameBytesMax) : FrameReader
{
    private const int PreludeBytes = 12;
    private const int ChecksumBytes = 4;
    private const byte TextHeader = 7;

    private readonly PendingBytes pending = new();
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
        frame = default;
        var bytes = pending.Span;
        if (bytes.Length < PreludeBytes)
        {
            return false;
        }

        // The prelude's checksum is looked at before its lengths are believed.
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var headersLength = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (Crc32.HashToUInt32(bytes[..8]) != BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]))
        {
            throw new MalformedReplyException("The event stream's prelude does not match its checksum.");
        }

        if (length > frameBytesMax || length < PreludeBytes + ChecksumBytes || headersLength > length - PreludeBytes - ChecksumBytes)
        {
            throw new MalformedReplyException("A message of the event stream has an impossible length.");
        }

        if (bytes.Length < length)
        {
            return false;
        }

        var raw = bytes[..(int)length];
        if (Crc32.HashToUInt32(raw[..^ChecksumBytes]) != BinaryPrimitives.ReadUInt32BigEndian(raw[^ChecksumBytes..]))
        {
            throw new MalformedReplyException("A message of the event stream does not match its checksum.");
        }

        given = raw.Length;
        var headers = raw.Slice(PreludeBytes, (int)headersLength);
        frame = Header(headers, ":message-type"u8).SequenceEqual("error"u8)
            ? new SseEvent(raw, "error"u8, Error(Header(headers, ":error-code"u8), Header(headers, ":error-message"u8)), hasData: true)
            : new SseEvent(raw, NameIn(headers), raw[(PreludeBytes + (int)headersLength)..^ChecksumBytes], hasData: true);
        return true;
    }

    /// <summary>Half a message cannot be read.</summary>
    public override bool TryReadLast(out SseEvent frame)
    {
        frame = default;
        return false;
    }

    /// <inheritdoc/>
    public override void Dispose() => pending.Dispose();

    private static ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> headers) =>
        Header(headers, ":exception-type"u8) is { IsEmpty: false } exception ? exception : Header(headers, ":event-type"u8);

    private static byte[] Error(ReadOnlySpan<byte> code, ReadOnlySpan<byte> message)
    {
        var json = new JsonObject { ["__type"] = Encoding.UTF8.GetString(code), ["message"] = Encoding.UTF8.GetString(message) };
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    /// <summary>The text of a header; empty when there is none.</summary>
    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> name)
    {
        while (headers.Length > 0)
        {
            var nameLength = headers[0];
            if (headers.Length < nameLength + 2)
            {
                break;
            }

            var header = headers.Slice(1, nameLength);
            var type = headers[1 + nameLength];
            headers = headers[(2 + nameLength)..];
            var valueLength = LengthOf(type, headers);
            if (valueLength < 0 || headers.Length < valueLength)
            {
                break;
            }

            if (type == TextHeader && header.SequenceEqual(name))
            {
                return headers[2..valueLength];
            }

            headers = headers[valueLength..];
        }

        return default;
    }

    /// <summary>The length of a header's value by its type; -1 when it is cut or unknown.</summary>
    private static int LengthOf(byte type, ReadOnlySpan<byte> rest) => type switch
    {
        0 or 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 or 8 => 8,
        6 or TextHeader => rest.Length < 2 ? -1 : 2 + BinaryPrimitives.ReadUInt16BigEndian(rest),
        9 => 16,
        _ => -1,
    };

    private void DropGiven()
    {
        if (given > 0)
        {
            pending.Drop(given);
            given = 0;
        }
    }
}
