using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Scripts;

/// <summary>
/// Reads a script from <c>x-sample-*</c> headers and from the suffix of a model's name (<c>gpt-4+status=503+retry-after=2</c>).
/// An unknown name or value is an error: a test with a misspelt script would otherwise pass against an ordinary answer.
/// </summary>
internal static class ScriptReader
{
    public const string HeaderPrefix = "x-sample-";

    private const int TokensMax = 200_000;
    private const int ChunksMax = 100_000;
    private const int MillisecondsMax = 600_000;

    public static Script FromHeaders(IHeaderDictionary headers, out string? problem)
    {
        problem = null;
        var script = Script.None;
        foreach (var header in headers)
        {
            if (header.Key.Length > HeaderPrefix.Length && header.Key.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase))
            {
                // Lower case is the name's own form: the switch below compares exactly.
                var name = header.Key[HeaderPrefix.Length..].ToLowerInvariant();
                script = With(script, name, header.Value.ToString(), ref problem);
            }
        }

        return script;
    }

    /// <summary>Splits a model's name into the bare name and its script. What <paramref name="over"/> says wins.</summary>
    public static string FromModel(string model, Script over, out Script script, out string? problem)
    {
        problem = null;
        script = over;
        var plus = model.IndexOf('+', StringComparison.Ordinal);
        if (plus < 0)
        {
            return model;
        }

        var suffix = Script.None;
        foreach (var part in model[(plus + 1)..].Split('+'))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (part, "") : (part[..equals], part[(equals + 1)..]);
            suffix = With(suffix, name, Uri.UnescapeDataString(value), ref problem);
        }

        script = Merge(suffix, over);
        return model[..plus];
    }

    private static Script With(Script script, string name, string value, ref string? problem)
    {
        switch (name)
        {
            case "status": return script with { Status = Number(name, value, 400, 599, ref problem) };
            case "retry-after": return script with { RetryAfter = value };
            case "delay-ms": return script with { DelayMs = Number(name, value, 0, MillisecondsMax, ref problem) };
            case "chunk-delay-ms": return script with { ChunkDelayMs = Number(name, value, 0, MillisecondsMax, ref problem) };
            case "chunks": return script with { Chunks = Number(name, value, 1, ChunksMax, ref problem) };
            case "tokens": return script with { Tokens = Number(name, value, 0, TokensMax, ref problem) };
            case "cut-after": return script with { CutAfter = Number(name, value, 0, ChunksMax, ref problem) };
            case "hang-after": return script with { HangAfter = Number(name, value, 0, ChunksMax, ref problem) };
            case "malformed-after": return script with { MalformedAfter = Number(name, value, 0, ChunksMax, ref problem) };
            case "error-after": return script with { ErrorAfter = Number(name, value, 0, ChunksMax, ref problem) };
            case "reply": return script with { Reply = value };
            case "cached-tokens": return script with { CachedTokens = Number(name, value, 0, TokensMax, ref problem) };
            case "cache-write-tokens": return script with { CacheWriteTokens = Number(name, value, 0, TokensMax, ref problem) };
            case "reasoning-tokens": return script with { ReasoningTokens = Number(name, value, 0, TokensMax, ref problem) };
            case "usage":
                UsageReport? usage = value switch
                {
                    "true" => UsageReport.True,
                    "absent" => UsageReport.Absent,
                    "zero" => UsageReport.Zero,
                    "double" => UsageReport.Double,
                    "twice" => UsageReport.Twice,
                    _ => null,
                };
                if (usage is null)
                {
                    problem ??= "The script 'usage' is one of true, absent, zero, double, twice.";
                }

                return script with { Usage = usage ?? UsageReport.True };
            default:
                problem ??= $"There is no script '{name}'. There are: status, retry-after, delay-ms, chunk-delay-ms, chunks, tokens, "
                    + "cut-after, hang-after, malformed-after, error-after, usage, reply, cached-tokens, cache-write-tokens, reasoning-tokens.";
                return script;
        }
    }

    private static int Number(string name, string value, int least, int most, ref string? problem)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        problem ??= $"The script '{name}' takes a whole number from {least} to {most}.";
        return least;
    }

    private static Script Merge(Script below, Script over) => ReferenceEquals(over, Script.None) ? below : new()
    {
        Status = over.Status ?? below.Status,
        RetryAfter = over.RetryAfter ?? below.RetryAfter,
        DelayMs = over.DelayMs != 0 ? over.DelayMs : below.DelayMs,
        ChunkDelayMs = over.ChunkDelayMs ?? below.ChunkDelayMs,
        Chunks = over.Chunks ?? below.Chunks,
        Tokens = over.Tokens ?? below.Tokens,
        CutAfter = over.CutAfter ?? below.CutAfter,
        HangAfter = over.HangAfter ?? below.HangAfter,
        MalformedAfter = over.MalformedAfter ?? below.MalformedAfter,
        ErrorAfter = over.ErrorAfter ?? below.ErrorAfter,
        Usage = over.Usage != UsageReport.True ? over.Usage : below.Usage,
        Reply = over.Reply ?? below.Reply,
        CachedTokens = over.CachedTokens != 0 ? over.CachedTokens : below.CachedTokens,
        CacheWriteTokens = over.CacheWriteTokens != 0 ? over.CacheWriteTokens : below.CacheWriteTokens,
        ReasoningTokens = over.ReasoningTokens != 0 ? over.ReasoningTokens : below.ReasoningTokens,
    };
}
