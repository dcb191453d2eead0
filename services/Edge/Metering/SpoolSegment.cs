using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;
using Gateway.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Edge.Metering;

/// <summary>What stands at a place of a segment.</summary>
internal enum SpoolFrame
{
    /// <summary>A record.</summary>
    Whole,

    /// <summary>The beginning of a record: its end was not written, or not read yet.</summary>
    Cut,

    /// <summary>No record has such a length.</summary>
    WrongLength,

    /// <summary>A record of which something was changed.</summary>
    WrongChecksum,
}

/// <summary>
/// One append-only file of usage records. Format: an 8-byte magic, then for each record its length (4 bytes, little-endian), the CRC-32 of
/// its payload (4 bytes) and the payload. A record that a crash tore at the end fails its length or its checksum and ends the file.
/// </summary>
internal sealed class SpoolSegment : IDisposable
{
    /// <summary>The first bytes of a segment; the digit is the format's version.</summary>
    public static ReadOnlySpan<byte> Magic => "GWSPOOL1"u8;

    /// <summary>Bytes before a record's payload.</summary>
    public const int FrameHeaderBytes = 8;

    /// <summary>No record is larger: a length above this is damage.</summary>
    public const int PayloadBytesMax = 1 << 20;

    private readonly SafeFileHandle file;
    private long tail;
    private long flushed;
    private bool counted;

    private SpoolSegment(string path, SafeFileHandle file, long tail)
    {
        Path = path;
        this.file = file;
        this.tail = tail;
        flushed = tail;
    }

    public string Path { get; }

    /// <summary>Where the next record goes: everything before it is written.</summary>
    public long Tail => Volatile.Read(ref tail);

    /// <summary>Everything before it was handed to the broker and confirmed.</summary>
    public long Published { get; private set; } = Magic.Length;

    /// <summary>How many records of a recovered file are not confirmed, once <see cref="CountRecords"/> has counted them.</summary>
    public long Records { get; private set; }

    /// <summary>Whether no more is appended.</summary>
    public bool Sealed { get; private set; }

    public static SpoolSegment Create(string path)
    {
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            RandomAccess.Write(file, Magic, 0);
            return new SpoolSegment(path, file, Magic.Length);
        }
        catch
        {
            // A full disk is tried again and again: it must not leave a file each time.
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Opens what an earlier process left behind; false when it is no segment.</summary>
    public static bool TryRecover(string path, out SpoolSegment? segment)
    {
        segment = null;
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        Span<byte> magic = stackalloc byte[8];
        if (RandomAccess.Read(file, magic, 0) < magic.Length || !magic.SequenceEqual(Magic))
        {
            file.Dispose();
            return false;
        }

        segment = new SpoolSegment(path, file, RandomAccess.GetLength(file)) { Sealed = true };
        return true;
    }

    /// <summary>Appends a frame. Calls must not overlap: the spool's stripe holds its lock.</summary>
    /// <param name="frame">A frame made by <see cref="WriteFrameHeader"/> and its payload.</param>
    public void Append(ReadOnlySpan<byte> frame)
    {
        RandomAccess.Write(file, frame, tail);
        Volatile.Write(ref tail, tail + frame.Length);
    }

    /// <summary>Fills the first <see cref="FrameHeaderBytes"/> bytes of <paramref name="frame"/> for the payload behind them.</summary>
    public static void WriteFrameHeader(Span<byte> frame)
    {
        var payload = frame[FrameHeaderBytes..];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Crc32.HashToUInt32(payload));
    }

    /// <summary>What <paramref name="rest"/> begins with, and its payload when that is there.</summary>
    public static SpoolFrame Look(ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (rest.Length < FrameHeaderBytes)
        {
            return SpoolFrame.Cut;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length is <= 0 or > PayloadBytesMax)
        {
            return SpoolFrame.WrongLength;
        }

        if (rest.Length < FrameHeaderBytes + length)
        {
            return SpoolFrame.Cut;
        }

        payload = rest.Slice(FrameHeaderBytes, length);
        return Crc32.HashToUInt32(payload) == BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) ? SpoolFrame.Whole : SpoolFrame.WrongChecksum;
    }

    /// <summary>Brings what is written to the disk itself.</summary>
    public void Flush()
    {
        var until = Tail;
        if (until == flushed)
        {
            return;
        }

        try
        {
            RandomAccess.FlushToDisk(file);
            flushed = until;
        }
        catch (ObjectDisposedException)
        {
            // Published and deleted meanwhile.
        }
    }

    public void Seal() => Sealed = true;

    /// <summary>
    /// Copies records that were not published yet to <paramref name="lines"/>, each followed by a line feed, and returns how many and where
    /// they end. A damaged record, and a rest of a sealed file that is none, is skipped and reported as <c>DamagedBytes</c>; a damaged tail of a live
    /// file cannot occur.
    /// </summary>
    public (int Records, long End, long DamagedBytes) Read(IBufferWriter<byte> lines, int recordsMax, int bytesMax)
    {
        var tailNow = Tail;
        var position = Published;
        var records = 0;
        var copied = 0;
        var damaged = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            while (position < tailNow && records < recordsMax && copied < bytesMax)
            {
                var wanted = (int)Math.Min(buffer.Length, tailNow - position);
                var read = RandomAccess.Read(file, buffer.AsSpan(0, wanted), position);
                var taken = 0;
                while (records < recordsMax && copied < bytesMax)
                {
                    var frame = Look(buffer.AsSpan(taken, read - taken), out var payload);
                    if (frame == SpoolFrame.Cut)
                    {
                        break;
                    }

                    if (frame == SpoolFrame.WrongChecksum)
                    {
                        // Its length is there: what stands behind it is not lost with it.
                        taken += FrameHeaderBytes + payload.Length;
                        damaged += FrameHeaderBytes + payload.Length;
                        continue;
                    }

                    if (frame != SpoolFrame.Whole)
                    {
                        return (records, tailNow, damaged + tailNow - position - taken);
                    }

                    lines.Write(payload);
                    lines.Write("\n"u8);
                    taken += FrameHeaderBytes + payload.Length;
                    copied += payload.Length + 1;
                    records++;
                }

                if (taken == 0)
                {
                    if (read < buffer.Length && position + read >= tailNow)
                    {
                        return (records, tailNow, damaged + tailNow - position);
                    }

                    // A record larger than the buffer: read it whole the next time around.
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(PayloadBytesMax + FrameHeaderBytes);
                }

                position += taken;
            }

            return (records, position, damaged);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Counts what a recovered file has, once: it is not changed any more.</summary>
    public void CountRecords()
    {
        if (!counted)
        {
            counted = true;
            var lengths = new byte[4];
            for (var at = (long)Magic.Length; RandomAccess.Read(file, lengths, at) == lengths.Length; Records++)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(lengths);
                if (length is <= 0 or > PayloadBytesMax || (at += FrameHeaderBytes + length) > tail)
                {
                    break;
                }
            }
        }
    }

    /// <summary>When the request of the first record ended that is not confirmed, in Unix milliseconds; null when there is none that can be read.</summary>
    public long? OldestAt() => Published < Tail ? EndOfFirst(4 * 1024) ?? EndOfFirst(FrameHeaderBytes + PayloadBytesMax) : null;

    private long? EndOfFirst(int bytesMax)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bytesMax);
        try
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(bytesMax, Tail - Published)), Published);
            return Look(buffer.AsSpan(0, read), out var payload) == SpoolFrame.Whole && JsonSerializer.Deserialize(payload, ContractsJson.Default.UsageRecord) is { } record
                ? record.StartedAt.ToUnixTimeMilliseconds() + (record.DurationMicroseconds / 1_000)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Remembers that everything before <paramref name="end"/> is confirmed: so many records more.</summary>
    public void MarkPublished(long end, int records) => (Published, Records) = (end, Math.Max(0, Records - records));

    public void Delete()
    {
        Dispose();
        File.Delete(Path);
    }

    public void Dispose() => file.Dispose();
}
