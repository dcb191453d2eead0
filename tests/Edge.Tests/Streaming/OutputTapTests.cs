using System.Text;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Streaming;

public sealed class OutputTapTests
{
    [Fact]
    public void Observe_ContentReasoningAndArguments_AreCollected_AndNothingElse()
    {
        using var tap = new OutputTap();

        tap.Observe("""{"choices":[{"delta":{"content":"one \"two\" "}}]}"""u8);
        tap.Observe("""{"choices":[{"delta":{"reasoning_content":"three"}}],"note":"no"}"""u8);
        tap.Observe("""{"choices":[{"delta":{"tool_calls":[{"function":{"name":"no","arguments":"{}"}}]}}]}"""u8);

        Assert.Equal("""one \"two\" three{}""", Encoding.UTF8.GetString(tap.Text));
        Assert.Equal(3, tap.Pieces);
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
