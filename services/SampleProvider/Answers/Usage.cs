using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Answers;

/// <summary>
/// The token counts of one reply. <paramref name="Input"/> holds all input tokens, those from and to a cache too;
/// <paramref name="Output"/> holds the reasoning tokens too.
/// </summary>
internal readonly record struct Usage(int Input, int Output, int CacheRead, int CacheWrite, int Reasoning)
{
    public int Total => Input + Output;

    /// <summary>What the script lets the reply say; null when it says nothing.</summary>
    public static Usage? Reported(int input, int output, Script script)
    {
        var read = Math.Min(script.CachedTokens, input);
        var write = Math.Min(script.CacheWriteTokens, input - read);
        var usage = new Usage(input, output + script.ReasoningTokens, read, write, script.ReasoningTokens);
        return script.Usage switch
        {
            UsageReport.Absent => null,
            UsageReport.Zero => default(Usage),
            UsageReport.Double => new(usage.Input * 2, usage.Output * 2, read * 2, write * 2, usage.Reasoning * 2),
            _ => usage,
        };
    }
}
