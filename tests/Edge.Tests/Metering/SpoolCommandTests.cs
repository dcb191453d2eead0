using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Metering;

namespace Gateway.Edge.Tests.Metering;

/// <summary>What a person sees of the segments on an edge's disk.</summary>
public sealed class SpoolCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spool-command-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_folder_s_segments_come_out_as_lines_of_JSON_also_while_an_edge_writes_them()
    {
        using var writing = Write("edge-1/0.seg", 2);
        using var another = Write("edge-2/0.seg", 1);
        var (code, lines, errors) = Run("spool", "read", folder);
        Assert.Equal((0, 3), (code, lines.Length));
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Object, JsonElement.Parse(line).ValueKind));
        Assert.Contains("0.seg: 2 records, 0 damaged", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_byte_is_a_wrong_checksum_with_its_place_and_what_follows_is_read()
    {
        var path = Path.Combine(folder, "a.seg");
        Write("a.seg", 3).Dispose();
        var bytes = File.ReadAllBytes(path);
        bytes[SpoolSegment.Magic.Length + SpoolSegment.FrameHeaderBytes + 4] ^= 1;
        File.WriteAllBytes(path, bytes);
        var (code, lines, errors) = Run("spool", "read", path);
        Assert.Equal((1, 2), (code, lines.Length));
        Assert.Contains("record 1 at byte 8: its checksum is wrong", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 9, 0, 0, 0, 1, 2, 3, 4, 5 }, "the end is torn: 9 bytes")]
    [InlineData(new byte[] { 9, 0 }, "the end is torn: 2 bytes")]
    [InlineData(new byte[] { 255, 255, 255, 127, 1, 2, 3, 4 }, "no record has this length: the last 8 bytes")]
    public void A_torn_end_is_told_and_the_records_before_it_are_read(byte[] tail, string says)
    {
        var path = Path.Combine(folder, "a.seg");
        Write("a.seg", 2).Dispose();
        File.AppendAllBytes(path, tail);
        var (code, lines, errors) = Run("spool", "read", path);
        Assert.Equal((1, 2), (code, lines.Length));
        Assert.Contains(says, errors, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_segment_a_folder_without_one_and_a_wrong_call_say_so()
    {
        File.WriteAllText(Path.Combine(folder, "a.txt"), "hello");
        Assert.Equal(1, Run("spool", "read", Path.Combine(folder, "a.txt")).Code);
        Assert.Equal(2, Run("spool", "read", folder).Code);
        Assert.Equal(2, Run("spool", "read", Path.Combine(folder, "none.seg")).Code);
        Assert.Equal(2, Run("spool").Code);
        Assert.False(SpoolCommand.IsAsked(["--urls=http://localhost"]));
    }

    private SpoolSegment Write(string name, int records)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var segment = SpoolSegment.Create(path);
        for (var i = 0; i < records; i++)
        {
            var payload = JsonSerializer.SerializeToUtf8Bytes(SpoolFixture.Record(i), ContractsJson.Default.UsageRecord);
            byte[] frame = [.. new byte[SpoolSegment.FrameHeaderBytes], .. payload];
            SpoolSegment.WriteFrameHeader(frame);
            segment.Append(frame);
        }

        return segment;
    }

    private static (int Code, string[] Lines, string Errors) Run(params string[] args)
    {
        using var output = new MemoryStream();
        using var errors = new StringWriter();
        var code = SpoolCommand.Run(args, output, errors);
        return (code, Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries), errors.ToString());
    }
}
