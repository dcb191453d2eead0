using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

/// <summary>A provider may make up any number of names, of any length: the header and the log say the same few.</summary>
public sealed class ReplyLossesTests
{
    [Fact]
    public void No_more_names_are_kept_than_the_header_shows()
    {
        var losses = new ReplyLosses();
        for (var i = 0; i < DroppedFields.NamesMax + 10; i++)
        {
            losses.Add($"name{i}");
        }

        Assert.Equal(Enumerable.Range(0, DroppedFields.NamesMax).Select(static i => $"name{i}"), losses.Names);
    }

    [Theory]
    [InlineData("citations", "citations")]
    [InlineData("a b,c\r\nd\u007fé😀", "a?b?c??d????")]
    public void A_name_is_kept_as_a_header_can_say_it(string name, string kept)
    {
        var losses = new ReplyLosses();
        losses.Add(name);
        losses.Add(name);

        Assert.Equal([kept], losses.Names);
    }

    [Fact]
    public void A_long_name_is_cut()
    {
        var losses = new ReplyLosses();
        losses.Add(new string('a', 101) + "b");
        losses.Add(new string('a', 101) + "c");

        Assert.Equal([new string('a', 100)], losses.Names);
    }
}
