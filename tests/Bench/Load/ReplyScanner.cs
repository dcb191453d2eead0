using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Gateway.Bench.Load;

/// <summary>Finds the end of an HTTP/1.1 answer (by length or chunks) and counts the events of a stream, byte by byte and with no copy.</summary>
internal struct ReplyScanner
{
    private const int HeadBytesMax = 16 * 1024;

    private enum State
    {
        Head,
        Body,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailer,
        Ended,
    }

    private State state;
    private StringBuilder? head;
    private long left;
    private bool chunkSizeEnds;
    private int matched;
    private bool lineStarts;

    public ReplyScanner()
    {
        state = State.Head;
        lineStarts = true;
    }

    public int Status { get; private set; }

    /// <summary>Lines that begin with <c>data:</c>.</summary>
    public int Frames { get; private set; }

    public bool Closes { get; private set; }

    public readonly bool Ended => state == State.Ended;

    /// <summary>The connection broke: what was read is no answer.</summary>
    public void Break()
    {
        Status = 0;
        state = State.Body;
    }

    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && state != State.Ended)
        {
            switch (state)
            {
                case State.Head:
                    bytes = ReadHead(bytes);
                    break;

                case State.Body or State.ChunkData:
                    var take = (int)Math.Min(left, bytes.Length);
                    Count(bytes[..take]);
                    bytes = bytes[take..];
                    left -= take;
                    if (left == 0)
                    {
                        state = state == State.Body ? State.Ended : State.ChunkEnd;
                    }

                    break;

                case State.ChunkSize:
                    ReadChunkSize(bytes[0]);
                    bytes = bytes[1..];
                    break;

                case State.ChunkEnd:
                    state = bytes[0] == (byte)'\n' ? State.ChunkSize : State.ChunkEnd;
                    bytes = bytes[1..];
                    break;

                case State.Trailer:
                    // Nobody here sends trailers: the empty line is the end.
                    state = bytes[0] == (byte)'\n' ? State.Ended : State.Trailer;
                    bytes = bytes[1..];
                    break;
            }
        }
    }

    private ReadOnlySpan<byte> ReadHead(ReadOnlySpan<byte> bytes)
    {
        head ??= new StringBuilder(512);
        var from = head.Length;
        head.Append(Encoding.Latin1.GetString(bytes));
        var text = head.ToString();
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return text.Length < HeadBytesMax ? [] : throw new InvalidDataException("The head of an answer is too long.");
        }

        Status = int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture);
        Closes = Field(text, "connection")?.Contains("close", StringComparison.OrdinalIgnoreCase) ?? false;
        var chunked = Field(text, "transfer-encoding")?.Contains("chunked", StringComparison.OrdinalIgnoreCase) ?? false;
        left = chunked ? 0 : long.Parse(Field(text, "content-length") ?? "0", CultureInfo.InvariantCulture);
        state = chunked ? State.ChunkSize : left > 0 ? State.Body : State.Ended;
        return bytes[(end + 4 - from)..];
    }

    private static string? Field(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}:", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : head[(at + name.Length + 3)..head.IndexOf("\r\n", at + 2, StringComparison.Ordinal)].Trim();
    }

    private void ReadChunkSize(byte character)
    {
        if (character == (byte)'\n')
        {
            state = left > 0 ? State.ChunkData : State.Trailer;
            chunkSizeEnds = false;
        }
        else if (character is (byte)';' or (byte)'\r')
        {
            chunkSizeEnds = true;
        }
        else if (!chunkSizeEnds && Utf8Parser.TryParse([character], out int digit, out _, 'x'))
        {
            left = (left * 16) + digit;
        }
    }

    private void Count(ReadOnlySpan<byte> body)
    {
        var wanted = "data:"u8;
        while (!body.IsEmpty)
        {
            if (!lineStarts)
            {
                // The rest of a line does not matter.
                var end = body.IndexOf((byte)'\n');
                if (end < 0)
                {
                    return;
                }

                body = body[(end + 1)..];
                lineStarts = true;
                matched = 0;
                continue;
            }

            if (body[0] == wanted[matched])
            {
                body = body[1..];
                if (++matched == wanted.Length)
                {
                    Frames++;
                    lineStarts = false;
                }
            }
            else
            {
                lineStarts = body[0] == (byte)'\n';
                matched = 0;
                body = body[1..];
            }
        }
    }
}
