using System.Buffers.Binary;

namespace Gateway.Edge.Flow;

/// <summary>Makes the ids of requests: UUIDs of version 7 (RFC 9562, 5.7), so that records of one time lie side by side in the tables.</summary>
internal static class RequestId
{
    /// <summary>A new id. It is unique and no secret: its random bits do not come from the kernel each time, as the runtime's own would.</summary>
    public static Guid New(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, at.ToUnixTimeMilliseconds() << 16);
        Random.Shared.NextBytes(bytes[6..]);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x70);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
