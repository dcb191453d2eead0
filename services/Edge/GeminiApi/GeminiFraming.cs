using System.Buffers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// How the answers of a stream follow each other: as server-sent events where the address says <c>alt=sse</c>, else as the elements of one JSON
/// array.
/// </summary>
internal sealed class GeminiFraming(bool isArray)
{
    private bool open;
    private bool closed;

    /// <summary>Whether it is an array.</summary>
    public bool IsArray => isArray;

    /// <summary>What stands before an answer.</summary>
    public void Begin(IBufferWriter<byte> output)
    {
        output.Write(!isArray ? "data: "u8 : open ? ",\n"u8 : "["u8);
        open = true;
    }

    /// <summary>What stands behind an answer.</summary>
    public void End(IBufferWriter<byte> output) => output.Write(isArray ? default : "\n\n"u8);

    /// <summary>What stands behind the last answer.</summary>
    public void Close(IBufferWriter<byte> output)
    {
        if (isArray && !closed)
        {
            closed = true;
            output.Write(open ? "]"u8 : "[]"u8);
        }
    }

    /// <summary>Writes an error as the last answer.</summary>
    public void Fail(GatewayError error, IBufferWriter<byte> output)
    {
        Begin(output);
        GeminiError.Write(error, output);
        End(output);
        Close(output);
    }
}
