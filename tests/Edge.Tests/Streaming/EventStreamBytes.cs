using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Streaming;

/// <summary>Writes Amazon's event stream.</summary>
internal static class EventStreamBytes
{
    private const int PreludeBytes = 12;
    private const int ChecksumBytes = 4;

    /// <summary>A message with texts as headers.</summary>
    public static byte[] Message(string payload, params (string Name, string Value)[] headers)
    {
        var written = new List<byte>();
        foreach (var (name, value) in headers)
        {
            written.AddRange([(byte)name.Length, .. Encoding.UTF8.GetBytes(name), 7, (byte)(value.Length >> 8), (byte)value.Length, .. Encoding.UTF8.GetBytes(value)]);
        }

        return Message([.. written], Encoding.UTF8.GetBytes(payload));
    }

    /// <summary>The stream with the headers or the payload of one of its messages changed, under checksums that are right.</summary>
    public static byte[] Mutate(byte[] stream, Random random)
    {
        var messages = new List<byte[]>();
        for (var at = 0; stream.Length - at > PreludeBytes;)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(stream.AsSpan(at));
            messages.Add(stream[at..Math.Min(stream.Length, at + length)]);
            at += length;
        }

        var which = random.Next(messages.Count);
        var message = messages[which];
        var headersEnd = PreludeBytes + (int)BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(4));
        var (headers, payload) = (message[PreludeBytes..headersEnd], message[headersEnd..^ChecksumBytes]);
        messages[which] = random.Next(4) == 0
            ? Message(ProviderContractTests.Mutate(headers, random), payload)
            : Message(headers, ProviderContractTests.Mutate(payload, random));
        return [.. messages.SelectMany(static one => one)];
    }

    private static byte[] Message(byte[] headers, byte[] payload)
    {
        var message = new byte[PreludeBytes + headers.Length + payload.Length + ChecksumBytes];
        BinaryPrimitives.WriteUInt32BigEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), (uint)headers.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), Crc32.HashToUInt32(message.AsSpan(0, 8)));
        headers.CopyTo(message, PreludeBytes);
        payload.CopyTo(message, PreludeBytes + headers.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(message.Length - ChecksumBytes), Crc32.HashToUInt32(message.AsSpan(0, message.Length - ChecksumBytes)));
        return message;
    }
}
