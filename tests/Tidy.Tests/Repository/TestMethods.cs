using System.Text.RegularExpressions;

namespace Gateway.Tidy.Tests.Repository;

/// <summary>A test, and the pains (T-n) that its name or the comments on it and on its class speak of.</summary>
internal sealed record TestMethod(string File, string Class, string Name, IReadOnlySet<string> Pains)
{
    public string FullName => $"{Class}.{Name}";
}

/// <summary>Every test of the test projects, found by reading them.</summary>
internal static partial class TestMethods
{
    public static IReadOnlyList<TestMethod> All { get; } = [.. SourceTree.CSharp("tests").SelectMany(In)];

    /// <summary>The pains that a text names: T-7, T_7_… and T7_… are one.</summary>
    public static HashSet<string> PainsIn(string text) => [.. Pain().Matches(text).Select(static match => $"T-{match.Groups[1].Value}")];

    private static IEnumerable<TestMethod> In(string file)
    {
        var text = SourceTree.Read(file);
        var classes = Class().Matches(text);
        var end = 0;
        foreach (Match method in Method().Matches(text))
        {
            var owner = classes.LastOrDefault(found => found.Index < method.Index)?.Groups[1].Value ?? Path.GetFileNameWithoutExtension(file);
            // The comments right above the test, and those right above its class.
            var comments = Comments(text[end..method.Index]) + (classes.Count > 0 ? Comments(text[..classes[0].Index]) : "");
            end = method.Index + method.Length;
            yield return new TestMethod(file, owner, method.Groups[1].Value, PainsIn($"{method.Groups[1].Value} {comments}"));
        }
    }

    private static string Comments(string text)
    {
        var lines = text.TrimEnd().Split('\n');
        return string.Join('\n', lines.Reverse().TakeWhile(static line => line.TrimStart() is "" or ['/', '/', ..] or ['[', ..]));
    }

    [GeneratedRegex(@"(?<![A-Za-z0-9])T[-_]?([1-9][0-9]?b?)(?![A-Za-z0-9])")]
    private static partial Regex Pain();

    [GeneratedRegex(@"\bclass (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"\[(?:\w*Fact|\w*Theory|Property)\b[^\n]*\]\s*(?:\[[^\n]*\]\s*)*public (?:static )?(?:async )?[\w<>]+ (\w+)\(")]
    private static partial Regex Method();
}
