using System.Text.RegularExpressions;
using Gateway.TestKit;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>The tables of <c>docs/translation.md</c>, and the tests that their rows name.</summary>
internal static class TranslationDocument
{
    private static readonly ILookup<string, string> Sources = Directory.EnumerateDirectories(Path.Combine(GatewayCluster.Repository, "tests"), "*.Tests")
        .SelectMany(static project => Directory.EnumerateFiles(project, "*Tests.cs", SearchOption.AllDirectories)).ToLookup(static path => Path.GetFileName(path));

    /// <summary>The cells of a table, its head first.</summary>
    /// <param name="heading">Of the section that it stands in.</param>
    /// <param name="first">What its head begins with; without, it is the section's first.</param>
    public static IReadOnlyList<string[]> Table(string heading, string first = "")
    {
        var document = File.ReadAllText(Path.Combine(GatewayCluster.Repository, "docs", "translation.md"));
        var section = document[(document.IndexOf($"## {heading}\n", StringComparison.Ordinal) + heading.Length + 4)..];
        var end = section.IndexOf("\n## ", StringComparison.Ordinal);
        var lines = (end < 0 ? section : section[..end]).Split('\n');
        return
        [
            .. lines.SkipWhile(line => !line.StartsWith("| " + first, StringComparison.Ordinal)).TakeWhile(static line => line.StartsWith('|'))
                .Where(static line => !line.StartsWith("| --- ", StringComparison.Ordinal)).Select(static line => line[1..].TrimEnd('|').Split('|', StringSplitOptions.TrimEntries)),
        ];
    }

    /// <summary>The names in a cell: what stands between backticks, each word of it.</summary>
    public static string[] Names(string cell) => [.. Regex.Matches(cell, "`([^`]+)`").SelectMany(static name => Regex.Matches(name.Groups[1].Value, "[A-Za-z_][A-Za-z_0-9]*")).Select(static word => word.Value).Distinct()];

    /// <summary>Whether there is a test of that class and name.</summary>
    public static bool HasTest(string name) => TextOfTest(name) is not null;

    /// <summary>The file of a test; null when there is none.</summary>
    /// <param name="name">Its class and its name.</param>
    public static string? TextOfTest(string name) => Sources[name.Split('.')[0] + ".cs"].Select(File.ReadAllText).FirstOrDefault(text => Regex.IsMatch(text, $@"\b{name.Split('.')[1]}\("));
}
