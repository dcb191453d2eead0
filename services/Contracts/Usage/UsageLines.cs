using System.Buffers;
using System.Text.Json;

namespace Gateway.Contracts;

/// <summary>
/// The lines of a message (<see cref="UsageBatch.Read"/>). Lines stand in a buffer that is lent: no line may be read after <see cref="Dispose"/>.
/// Records may be kept.
/// </summary>
public sealed class UsageLines : IDisposable
{
    private readonly ReadOnlyMemory<byte> bytes;
    private byte[]? rented;

    internal UsageLines(ReadOnlyMemory<byte> bytes, byte[]? rented) => (this.bytes, this.rented) = (bytes, rented);

    /// <summary>The lines in the order in which the edge wrote them, each with its record; null for a line that is none.</summary>
    public IReadOnlyList<(ReadOnlyMemory<byte> Line, UsageRecord? Record)> All { get; private set; } = [];

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        All = [];
        if (rented is { } buffer)
        {
            rented = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal void Read(int expected)
    {
        var lines = new List<(ReadOnlyMemory<byte>, UsageRecord?)>(expected);
        var reader = new UsageRecordReader(bytes);
        for (var start = 0; start < bytes.Length;)
        {
            var found = bytes.Span[start..].IndexOf((byte)'\n');
            var length = found < 0 ? bytes.Length - start : found;
            if (length > 0)
            {
                lines.Add((bytes.Slice(start, length), RecordOf(reader, start, length)));
            }

            start += length + 1;
        }

        All = lines;
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
