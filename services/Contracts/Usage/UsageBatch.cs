using System.IO.Compression;
using System.Text.Json;

namespace Gateway.Contracts;

/// <summary>
/// Reads what <see cref="UsageRecorded.Records"/> holds. Records of one batch repeat almost everything: packed they are a tenth, and the
/// broker writes and carries them several times.
/// </summary>
public static class UsageBatch
{
    /// <summary>The lines are packed as one zlib stream (RFC 1950).</summary>
    public const string Zlib = "zlib";

    /// <summary>No batch is larger when it is unpacked.</summary>
    private const int BytesMax = 64 << 20;

    /// <summary>Packs lines for <see cref="UsageRecorded.Packing"/> = <see cref="Zlib"/>.</summary>
    public static byte[] Pack(ReadOnlySpan<byte> lines)
    {
        // Mostly enough, and for a full batch below the size from which arrays are dear to collect.
        using var packed = new MemoryStream(Math.Max(256, lines.Length / 12));
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(lines);
        }

        return packed.ToArray();
    }

    /// <summary>The lines of a message, one record each.</summary>
    /// <exception cref="JsonException">The message cannot be unpacked: it belongs on the error queue, whole.</exception>
    public static ReadOnlyMemory<byte> Lines(UsageRecorded message)
    {
        if (message.Packing is null)
        {
            return message.Records;
        }

        if (message.Packing != Zlib)
        {
            throw new JsonException($"Usage records are packed in a way that is not known here: {message.Packing}.");
        }

        try
        {
            using var zlib = new ZLibStream(new MemoryStream(message.Records), CompressionMode.Decompress);
            var lines = new MemoryStream(Math.Clamp(message.Count, 1, 10_000) * 640);
            var buffer = new byte[16 * 1024];
            for (int read; (read = zlib.Read(buffer)) > 0;)
            {
                lines.Write(buffer.AsSpan(0, read));
                if (lines.Length > BytesMax)
                {
                    throw new JsonException($"Unpacked usage records are larger than {BytesMax} bytes.");
                }
            }

            return lines.GetBuffer().AsMemory(0, (int)lines.Length);
        }
        catch (InvalidDataException error)
        {
            throw new JsonException("Packed usage records are damaged.", error);
        }
    }

    /// <summary>The lines of a message in the order in which the edge wrote them, each with its record; null for a line that is none.</summary>
    /// <exception cref="JsonException">The message cannot be unpacked: it belongs on the error queue, whole.</exception>
    public static List<(ReadOnlyMemory<byte> Line, UsageRecord? Record)> Read(UsageRecorded message)
    {
        var records = new List<(ReadOnlyMemory<byte>, UsageRecord?)>(Math.Clamp(message.Count, 0, 10_000));
        var lines = Lines(message);
        var reader = new UsageRecordReader(lines);
        for (var start = 0; start < lines.Length;)
        {
            var found = lines.Span[start..].IndexOf((byte)'\n');
            var length = found < 0 ? lines.Length - start : found;
            if (length > 0)
            {
                records.Add((lines.Slice(start, length), RecordOf(reader, start, length)));
            }

            start += length + 1;
        }

        return records;
    }

    private static UsageRecord? RecordOf(UsageRecordReader reader, int start, int length)
    {
        try
        {
            return reader.Read(start, length);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
