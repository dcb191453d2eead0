using System.Buffers;
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

    // Room to begin with. A message may say that it has more records than it has.
    private const int RecordsExpectedMax = 10_000;
    private const int BytesOfRecord = 640;

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

    /// <summary>The lines of a message in the order in which the edge wrote them, each with its record; null for a line that is none.</summary>
    /// <exception cref="JsonException">The message cannot be unpacked: it belongs on the error queue, whole.</exception>
    public static UsageLines Read(UsageRecorded message)
    {
        var lines = message.Packing switch
        {
            null => new UsageLines(message.Records, rented: null),
            Zlib => Unpack(message),
            _ => throw new JsonException($"Usage records are packed in a way that is not known here: {message.Packing}."),
        };
        lines.Read(Math.Clamp(message.Count, 0, RecordsExpectedMax));
        return lines;
    }

    private static UsageLines Unpack(UsageRecorded message)
    {
        // Where it cannot be unpacked the buffer does not go back, and is collected like any other.
        var pool = ArrayPool<byte>.Shared;
        var unpacked = pool.Rent(Math.Clamp(message.Count, 1, RecordsExpectedMax) * BytesOfRecord);
        var length = 0;
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(message.Records), CompressionMode.Decompress);
            for (int read; (read = zlib.Read(unpacked.AsSpan(length))) > 0;)
            {
                length += read;
                if (length > BytesMax)
                {
                    throw new JsonException($"Unpacked usage records are larger than {BytesMax} bytes.");
                }

                if (length == unpacked.Length)
                {
                    var larger = pool.Rent(length * 2);
                    unpacked.CopyTo(larger, 0);
                    pool.Return(unpacked);
                    unpacked = larger;
                }
            }

            return new UsageLines(unpacked.AsMemory(0, length), unpacked);
        }
        catch (InvalidDataException error)
        {
            throw new JsonException("Packed usage records are damaged.", error);
        }
    }
}
