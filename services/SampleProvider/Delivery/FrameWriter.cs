using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Delivery;

/// <summary>Renders a reply: raw JSON around escaped text, numbers and the places of the stamps.</summary>
internal sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> bytes = new(1024);
    private readonly List<Frame> frames = [];
    private readonly List<Stamp> stamps = [];

    public FrameWriter Raw(ReadOnlySpan<byte> json)
    {
        bytes.Write(json);
        return this;
    }

    /// <summary>A JSON string with its quotes.</summary>
    public FrameWriter Text(string text)
    {
        // Providers send other scripts as they are and not as \u escapes.
        var encoded = JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        return Raw("\""u8).Raw(encoded.EncodedUtf8Bytes).Raw("\""u8);
    }

    /// <summary>Text that is JSON already, or stands between quotes that need no escaping.</summary>
    public FrameWriter Document(string json) => Raw(Encoding.UTF8.GetBytes(json));

    public FrameWriter Number(long number)
    {
        Utf8Formatter.TryFormat(number, bytes.GetSpan(20), out var written);
        bytes.Advance(written);
        return this;
    }

    public FrameWriter Number(float number) => Document(number.ToString("R", CultureInfo.InvariantCulture));

    public FrameWriter Numbers(ReadOnlySpan<float> numbers)
    {
        Raw("["u8);
        for (var i = 0; i < numbers.Length; i++)
        {
            Raw(i == 0 ? ""u8 : ","u8).Number(numbers[i]);
        }

        return Raw("]"u8);
    }

    public FrameWriter Id() => Place(StampKind.Id, "0000000000000000"u8);

    public FrameWriter Uuid() => Raw("5a3c7b1e-09d4-4f6a-8c2d-"u8).Place(StampKind.UuidTail, "000000000000"u8);

    public FrameWriter UnixSeconds() => Place(StampKind.UnixSeconds, "0000000000"u8);

    public FrameWriter EndFrame(bool isContent = false)
    {
        frames.Add(new(bytes.WrittenCount, isContent));
        return this;
    }

    public PreparedReply Json(string model, Script script, int status = 200)
    {
        frames.Clear();
        return Reply(model, script, status, "application/json", streams: false) with { Frames = [new(bytes.WrittenCount, true)] };
    }

    /// <summary>A reply in one piece that is no JSON: sound, or plain text.</summary>
    public PreparedReply Bytes(string contentType, string model, Script script)
    {
        frames.Clear();
        return Reply(model, script, 200, contentType, streams: false) with { Frames = [new(bytes.WrittenCount, true)] };
    }

    public PreparedReply Events(string model, Script script) => Reply(model, script, 200, "text/event-stream; charset=utf-8", streams: true);

    private PreparedReply Reply(string model, Script script, int status, string contentType, bool streams) => new()
    {
        Status = status,
        ContentType = contentType,
        Bytes = bytes.WrittenSpan.ToArray(),
        Frames = [.. frames],
        Stamps = [.. stamps],
        Streams = streams,
        Model = model,
        Script = script,
    };

    private FrameWriter Place(StampKind kind, ReadOnlySpan<byte> zeros)
    {
        stamps.Add(new(bytes.WrittenCount, kind));
        return Raw(zeros);
    }
}
