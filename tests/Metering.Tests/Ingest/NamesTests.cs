using Gateway.Metering.Ingest;

namespace Gateway.Metering.Tests.Ingest;

public sealed class NamesTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("gpt-4", "gpt-4")]
    [InlineData("a\0", "a\ufffd")]
    [InlineData("\ud83d\ude00", "\ud83d\ude00")]
    public void Clean_KeepsWhatPostgreSqlCanHold(string? text, string clean) => Assert.Equal(clean, Names.Clean(text));

    // Not a case of the theory: a runner's own encoding would change it.
    [Fact]
    public void Clean_OfHalfAPair_IsTheReplacementCharacter() => Assert.Equal("a\ufffdb", Names.Clean("a\ud83db"));

    [Fact]
    public void Clean_OfLongText_IsBounded_AndSplitsNoPair()
    {
        var clean = Names.Clean("x" + string.Concat(Enumerable.Repeat("\ud83d\ude00", 400)));
        Assert.Equal(511, clean.Length);
        Assert.False(char.IsHighSurrogate(clean[^1]));
    }
}
