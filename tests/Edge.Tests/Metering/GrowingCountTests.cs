using System.Text;
using Gateway.Edge.Metering;

namespace Gateway.Edge.Tests.Metering;

/// <summary>A guarded stream is counted again and again while it grows.</summary>
public sealed class GrowingCountTests
{
    [Theory]
    [InlineData(2_000)]
    [InlineData(20_000)]
    public void The_work_grows_as_the_text_does_however_often_it_is_asked_for(int words)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("word ", words)));
        var handed = 0L;
        var growing = new GrowingCount(piece =>
        {
            handed += piece.Length;
            return 0;
        });
        for (var end = 5; end <= text.Length; end += 5)
        {
            growing.Of(text.AsSpan(0, end), end);
        }

        Assert.InRange(handed, text.Length, 4L * text.Length);
    }

    [Fact]
    public void Where_there_is_no_space_it_is_at_most_a_piece_each_time()
    {
        var text = Encoding.UTF8.GetBytes(new string('x', 50_000));
        var (handed, asked) = (0L, 0);
        var growing = new GrowingCount(piece =>
        {
            handed += piece.Length;
            return 0;
        });
        for (var end = 100; end <= text.Length; end += 100, asked++)
        {
            growing.Of(text.AsSpan(0, end), end);
        }

        Assert.InRange(handed, text.Length, text.Length + (asked * 700L));
    }

    [Theory]
    [InlineData("It was the best of times, it was the worst of times; ", 0)]
    [InlineData("A line\\n  indented, 12 345 numbers and \\\"quotes\\\" \\u00e4 ", 0)]
    [InlineData("\\ud83d\\ude00 smiles  twice   spaced\\t\\n\\n ", 0)]
    [InlineData("Öffnungszeiten-überall/ohne.Leerzeichen", 16)]
    [InlineData("没有空格的文字", 16)]
    public void At_every_length_it_is_what_the_whole_counts_or_a_token_more_for_each_piece_without_a_space(string part, int more)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(part, 60)));
        var growing = new GrowingCount();
        var step = Encoding.UTF8.GetByteCount(part);
        for (var end = step; end <= text.Length; end += step)
        {
            var whole = TokenCounter.CountAll(TokenCounter.Unescape(text.AsSpan(0, end)));
            Assert.InRange(growing.Of(text.AsSpan(0, end), end), whole - more, whole + more);
        }
    }

    [Fact]
    public void What_was_not_kept_counts_by_proportion() => Assert.Equal(4, new GrowingCount(static text => text.Length / 2).Of("abcd"u8, 8));
}
