namespace Gateway.Edge.Metering;

/// <summary>Counts the tokens of a text.</summary>
internal delegate long TokensOf(ReadOnlySpan<char> text);

/// <summary>
/// The tokens of a text that grows, as <see cref="TokenCounter.CountAll"/> would count the whole. What stands before its last word is counted
/// once: the work grows as the text does, however often it is asked for.
/// </summary>
internal sealed class GrowingCount(TokensOf? count = null)
{
    private readonly TokensOf count = count ?? TokenCounter.CountAll;
    private string open = "";
    private long counted;
    private int taken;

    /// <summary>The tokens of what is there now.</summary>
    /// <param name="escaped">The whole text as it stands in JSON, without quotes: what it was before, and whole pieces behind it.</param>
    /// <param name="bytesSeen">How long it is in truth, where not all of it was kept: the rest counts by proportion.</param>
    public long Of(ReadOnlySpan<byte> escaped, long bytesSeen)
    {
        if (escaped.Length > taken)
        {
            open += TokenCounter.Unescape(escaped[taken..]);
            taken = escaped.Length;
            while (TokenCounter.LastCut(open) is > 0 and var cut)
            {
                counted += count(open.AsSpan(0, cut));
                open = open[cut..];
            }
        }

        var all = counted + count(open);
        return bytesSeen > taken && taken > 0 ? all * bytesSeen / taken : all;
    }
}
