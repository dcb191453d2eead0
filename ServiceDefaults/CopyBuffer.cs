using System.Buffers.Binary;
using System.Text;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Rows in the binary format of PostgreSQL's COPY: integers with the highest byte first, each field with its length before it
/// (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"; a field's bytes are what its type's <c>recv</c> function takes).
/// Npgsql's importer runs an asynchronous method for each field: with 38 fields in a row that was half of what a usage record cost its service.
/// </summary>
public sealed class CopyBuffer
{
    private const int FullAt = 32 * 1024;
    private const int Null = -1;
    private const int IntOid = 23;
    private const int TextOid = 25;

    // Text that is no Unicode is an error here, as it is in a parameter.
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly DateTime s_epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly int s_epochDay = DateOnly.FromDateTime(s_epoch).DayNumber;

    private byte[] bytes = new byte[FullAt * 2];
    private int written;

    /// <summary>A buffer with the head of a copy.</summary>
    public CopyBuffer()
    {
        ReadOnlySpan<byte> signature = [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r', (byte)'\n', 0];
        signature.CopyTo(Take(signature.Length));
        const int Flags = 0;
        const int MoreBytes = 0;
        Int32(Flags);
        Int32(MoreBytes);
    }

    /// <summary>Whether it is time to send what is written (<see cref="SendAsync"/>).</summary>
    public bool IsFull => written >= FullAt;

    /// <summary>Begins a row.</summary>
    public void BeginRow(int fields) => Int16((short)fields);

    /// <summary>Ends the copy: no row follows.</summary>
    public void End() => Int16(-1);

    /// <summary>Sends what is written.</summary>
    public async Task SendAsync(Stream copy, CancellationToken cancellation)
    {
        await copy.WriteAsync(bytes.AsMemory(0, written), cancellation);
        written = 0;
    }

    /// <summary>A field without a value.</summary>
    public void WriteNull() => Int32(Null);

    /// <summary>A field of type <c>boolean</c>.</summary>
    public void Write(bool value)
    {
        Int32(sizeof(bool));
        Take(sizeof(bool))[0] = value ? (byte)1 : (byte)0;
    }

    /// <summary>A field of type <c>smallint</c>.</summary>
    public void Write(short value)
    {
        Int32(sizeof(short));
        Int16(value);
    }

    /// <summary>A field of type <c>int</c>.</summary>
    public void Write(int value)
    {
        Int32(sizeof(int));
        Int32(value);
    }

    /// <summary>A field of type <c>bigint</c>.</summary>
    public void Write(long value)
    {
        Int32(sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(Take(sizeof(long)), value);
    }

    /// <summary>A field of type <c>uuid</c>.</summary>
    public void Write(Guid value)
    {
        const int Bytes = 16;
        Int32(Bytes);
        value.TryWriteBytes(Take(Bytes), bigEndian: true, out _);
    }

    /// <summary>A field of type <c>date</c>: days since 2000. The last day that .NET knows is that day here, and not PostgreSQL's infinity.</summary>
    public void Write(DateOnly value) => Write(value.DayNumber - s_epochDay);

    /// <summary>A field of type <c>timestamptz</c>, in UTC: microseconds since 2000. The last moment that .NET knows is that moment here, and not PostgreSQL's infinity.</summary>
    public void Write(DateTime value) => Write((value - s_epoch).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>A field of type <c>text</c>.</summary>
    /// <exception cref="EncoderFallbackException">It has half of a surrogate pair.</exception>
    public void Write(string value)
    {
        var length = BeginField();
        Text(value);
        EndField(length);
    }

    /// <summary>A field of type <c>jsonb</c>: the format's version, then the text.</summary>
    /// <exception cref="EncoderFallbackException">It has half of a surrogate pair.</exception>
    public void WriteJson(string value)
    {
        const byte Version = 1;
        var length = BeginField();
        Take(sizeof(byte))[0] = Version;
        Text(value);
        EndField(length);
    }

    /// <summary>A field of type <c>int[]</c>.</summary>
    public void Write(int[] values)
    {
        var length = BeginArray(IntOid, values.Length);
        foreach (var value in values)
        {
            Write(value);
        }

        EndField(length);
    }

    /// <summary>A field of type <c>text[]</c>.</summary>
    /// <exception cref="EncoderFallbackException">One of them has half of a surrogate pair.</exception>
    public void Write(string[] values)
    {
        var length = BeginArray(TextOid, values.Length);
        foreach (var value in values)
        {
            Write(value);
        }

        EndField(length);
    }

    private int BeginArray(int oid, int count)
    {
        const int HasNulls = 0;
        const int LowerBound = 1;
        var length = BeginField();
        var dimensions = count == 0 ? 0 : 1;
        Int32(dimensions);
        Int32(HasNulls);
        Int32(oid);
        if (dimensions > 0)
        {
            Int32(count);
            Int32(LowerBound);
        }

        return length;
    }

    // Where the length belongs, which is known at the end.
    private int BeginField()
    {
        Int32(Null);
        return written - sizeof(int);
    }

    private void EndField(int length) => BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(length), written - length - sizeof(int));

    private void Text(string value)
    {
        var room = Room(s_utf8.GetMaxByteCount(value.Length));
        written += s_utf8.GetBytes(value, room);
    }

    private void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), value);

    private void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), value);

    private Span<byte> Take(int count)
    {
        var room = Room(count);
        written += count;
        return room[..count];
    }

    private Span<byte> Room(int count)
    {
        if (bytes.Length - written < count)
        {
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, written + count));
        }

        return bytes.AsSpan(written);
    }
}
