using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>How a model is told how much to think.</summary>
internal enum GeminiThinking
{
    /// <summary>Not at all: it refuses to be told.</summary>
    None,

    /// <summary>By a number of tokens.</summary>
    Budget,

    /// <summary>By a level.</summary>
    Level,
}

/// <summary>What a model of Google's can do, told by its name. One without a number, such as <c>gemini-flash-latest</c>, is taken for the newest.</summary>
internal static partial class GeminiModel
{
    /// <summary>Gemini 3 and later: its calls of tools have ids, and it wants its signatures back.</summary>
    public static bool IsThreeOrLater(string model) => !IsGemma(model) && Generation(model) >= 3;

    /// <summary>Gemini 3 and later answer in JSON where they have tools; older ones have the one or the other.</summary>
    public static bool TakesJsonBesideTools(string model) => IsThreeOrLater(model);

    /// <summary>Gemma until its third generation has no instructions.</summary>
    public static bool TakesInstructions(string model) => !OldGemmaName().IsMatch(model);

    /// <summary>Gemini 3 and later take a level, 2.5 a number; older ones, Gemma, and 2.5 where it draws or speaks, neither.</summary>
    public static GeminiThinking ThinkingOf(string model) => Generation(model) switch
    {
        _ when IsGemma(model) => GeminiThinking.None,
        >= 3 => GeminiThinking.Level,
        >= 2.5m when !Has(model, "image") && !Has(model, "tts") => GeminiThinking.Budget,
        _ => GeminiThinking.None,
    };

    /// <summary>The level for an effort. Not each model has all four, and none can be told not to think: then it is the next one that the model has.</summary>
    public static string LevelOf(string model, string effort) => effort switch
    {
        "none" or "minimal" => Has(model, "flash") && Generation(model) < 3.7m ? "minimal" : "low",
        "medium" when Has(model, "gemini-3-pro") => "high",
        "low" or "medium" => effort,
        _ => "high",
    };

    /// <summary>The fewest tokens of thinking: Pro cannot be told not to think.</summary>
    public static int LeastBudget(string model) => Has(model, "pro") ? 128 : 0;

    private static decimal Generation(string model) =>
        GenerationName().Match(model) is { Success: true } match ? decimal.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : decimal.MaxValue;

    private static bool IsGemma(string model) => Has(model, "gemma");

    private static bool Has(string model, string word) => model.Contains(word, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"gemma-[1-3]", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OldGemmaName();

    [GeneratedRegex(@"gemini-(\d{1,4}(?:\.\d{1,4})?)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex GenerationName();
}
