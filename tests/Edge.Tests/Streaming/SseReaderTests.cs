using System.Text;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Streaming;

public sealed class SseReaderTests
{
    private static readonly string[] Streams =
    [
        "data: {\"a\":1}\n\ndata: [DONE]\n\n",
        "data:{\"a\":1}\r\n\r\ndata:two\r\n\r\n",
        "data: one\r\rdata: two\r\r",
        "\uFEFFevent: start\ndata: x\n\n: comment\n\ndata: y\n\n",
        "event: ping\nid: 7\nretry: 10\ndata: a\ndata:  b\ndata\ndata: c\n\n",
        "data:\n\ndata\n\n\n\ndatabase: no\neventual: no\n\n",
        "event:one\r\ndata: ümläut ☃\r\n\r\nevent: two\r\ndata: 1\r\ndata: 2\r\n\r\n",
        "data: the end is missing",
        "data: half a frame\n",
        "data: whole\r\n\r\ndata: half\r",
    ];

    [Fact]
    public void Frames_have_name_data_and_their_exact_bytes()
    {
        var frames = ReadAll("event: a\ndata: 1\n\n: hi\n\ndata:2\ndata: 3\n\n"u8.ToArray(), [1000]);

        Assert.Equal(
            [("a", "1", "event: a\ndata: 1\n\n", true), ("", "", ": hi\n\n", false), ("", "2\n3", "data:2\ndata: 3\n\n", true)],
            frames);
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_field()
    {
        var frame = Assert.Single(ReadAll(Encoding.UTF8.GetBytes("\uFEFFdata: x\n\n"), [1]));

        Assert.Equal("x", frame.Data);
        Assert.Equal("\uFEFFdata: x\n\n", frame.Raw);
    }

    [Fact]
    public void A_frame_that_ends_in_a_lone_carriage_return_is_given_at_once()
    {
        using var reader = new SseReader();
        reader.Append("data: x\r\r"u8);

        Assert.True(reader.TryRead(out var frame));
        Assert.Equal("x", Encoding.UTF8.GetString(frame.Data));
    }

    [Fact]
    public void A_frame_is_given_with_the_byte_that_ends_it()
    {
        using var reader = new SseReader();
        reader.Append("data: x\n"u8);
        Assert.False(reader.TryRead(out _));
        reader.Append("\n"u8);
        Assert.True(reader.TryRead(out _));
        Assert.False(reader.TryReadLast(out _));
    }

    [Fact]
    public void Random_splits_of_each_stream_give_the_same_frames()
    {
        var random = new Random(26);
        foreach (var stream in Streams)
        {
            var bytes = Encoding.UTF8.GetBytes(stream);
            var whole = ReadAll(bytes, [bytes.Length]);
            Assert.Equal(stream, string.Concat(whole.Select(frame => frame.Raw)));
            for (var round = 0; round < 2000; round++)
            {
                var pieces = Enumerable.Range(0, bytes.Length).Select(_ => random.Next(1, round % 7 == 0 ? 2 : 9)).ToArray();
                var split = ReadAll(bytes, pieces);

                Assert.Equal(whole, split);
                Assert.Equal(stream, string.Concat(split.Select(frame => frame.Raw)));
            }
        }
    }

    [Theory]
    [InlineData("data: ")]
    [InlineData(": ")]
    [InlineData("data: x\ndata: ")]
    public void A_frame_that_never_ends_is_refused_at_the_bound(string begin)
    {
        using var reader = new SseReader(frameBytesMax: 1024);
        reader.Append(Encoding.UTF8.GetBytes(begin));
        var piece = new byte[100];
        piece.AsSpan().Fill((byte)'a');

        Assert.Throws<MalformedReplyException>(() =>
        {
            for (var i = 0; i < 12; i++)
            {
                reader.Append(piece);
                reader.TryRead(out _);
            }
        });
    }

    [Fact]
    public void Reading_a_stream_allocates_nothing_per_event()
    {
        using var reader = new SseReader();
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", 10)));
        Pump(reader, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Pump(reader, bytes);
        }

        // A thousand events. The pool may have to make an array once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);

        static void Pump(SseReader reader, byte[] bytes)
        {
            reader.Append(bytes);
            while (reader.TryRead(out _))
            {
            }
        }
    }

    internal static List<(string Name, string Data, string Raw, bool HasData)> ReadAll(byte[] bytes, int[] pieces)
    {
        var frames = new List<(string, string, string, bool)>();
        using var reader = new SseReader();
        var at = 0;
        for (var i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(pieces[i % pieces.Length], bytes.Length - at);
            reader.Append(bytes.AsSpan(at, length));
            at += length;
            while (reader.TryRead(out var frame))
            {
                frames.Add(Copy(frame));
            }
        }

        if (reader.TryReadLast(out var last))
        {
            frames.Add(Copy(last));
        }

        return frames;
    }

    private static (string Name, string Data, string Raw, bool HasData) Copy(SseEvent frame) =>
        (Encoding.UTF8.GetString(frame.Name), Encoding.UTF8.GetString(frame.Data), Encoding.UTF8.GetString(frame.Raw), frame.HasData);
}
