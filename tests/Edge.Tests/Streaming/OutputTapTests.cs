using System.Text;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Streaming;

public sealed class OutputTapTests
{
    [Fact]
    public void Observe_ContentReasoningNamesAndArguments_AreCollected_AndNothingElse()
    {
        using var tap = new OutputTap();

        tap.Observe("""{"choices":[{"delta":{"content":"one \"two\" "}}]}"""u8);
        tap.Observe("""{"choices":[{"delta":{"reasoning_content":"three"}}],"note":"no"}"""u8);
        tap.Observe("""{"choices":[{"delta":{"tool_calls":[{"id":"no","function":{"name":"go","arguments":"{}"}}]}}]}"""u8);

        Assert.Equal("""one \"two\" threego{}""", Encoding.UTF8.GetString(tap.Text));
        Assert.Equal(4, tap.Pieces);
    }

    [Theory]
    [InlineData("""{"choices":[{"delta":{"content":"","reasoning":"two ","reasoning_details":[{"type":"reasoning.text","text":"two "}]}}]}""")]
    [InlineData("""{"choices":[{"delta":{"reasoning":"two ","reasoning_content":"two "}}]}""")]
    [InlineData("""{"choices":[{"delta":{"reasoning_content":null,"reasoning":"two "}}]}""")]
    [InlineData("""{"choices":[{"delta":{"reasoning_content":"","reasoning":"two "}}]}""")]
    public void Observe_ThoughtsByAnotherName_AreCollectedOnce(string chunk)
    {
        using var tap = new OutputTap();

        tap.Observe("""{"choices":[],"usage":{"reasoning":5}}"""u8);
        tap.Observe(Encoding.UTF8.GetBytes(chunk));

        Assert.Equal("two ", Encoding.UTF8.GetString(tap.Text));
    }

    [Fact]
    public void Observe_AWholeAnswerThatIsIndented_IsCollectedToo()
    {
        using var tap = new OutputTap();

        tap.Observe("""{ "choices" : [ { "message" : { "role": "the content", "content" : "one", "tool_calls": null } }, { "message": { "content": null, "refusal":"no" } } ] }"""u8);

        Assert.Equal("one", Encoding.UTF8.GetString(tap.Text));
    }

    [Fact]
    public void Observe_MoreThanIsKept_IsStillCounted()
    {
        using var tap = new OutputTap();
        var piece = Encoding.UTF8.GetBytes("{\"content\":\"" + new string('x', 100_000) + "\"}");

        for (var i = 0; i < 20; i++)
        {
            tap.Observe(piece);
        }

        Assert.Equal(2_000_000, tap.Bytes);
        Assert.InRange(tap.Text.Length, 1, OutputTap.TextBytesMax);
    }
}
