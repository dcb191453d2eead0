using System.Text.RegularExpressions;
using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.Documents;

/// <summary>What a document points at is there.</summary>
public sealed partial class LinksTests
{
    private static readonly string[] Documents = [.. SourceTree.Files.Where(static file => file.EndsWith(".md", StringComparison.Ordinal))];

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        var broken = new List<string>();
        foreach (var file in Documents)
        {
            foreach (Match link in Link().Matches(WithoutCode(SourceTree.Read(file))))
            {
                var target = link.Groups["target"].Value;
                if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
                {
                    continue;
                }

                var parts = target.Split('#', 2);
                var path = parts[0].Length == 0 ? file : Resolve(file, parts[0]);
                if (!SourceTree.Exists(path))
                {
                    broken.Add($"{file}: {target}");
                }
                else if (parts.Length == 2 && path.EndsWith(".md", StringComparison.Ordinal) && !Anchors(path).Contains(parts[1]))
                {
                    broken.Add($"{file}: {target} (no such heading)");
                }
            }
        }

        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    [Fact]
    public void Every_path_in_the_table_of_where_to_look_is_there()
    {
        var paths = new[] { "README.md", "docs/architecture.md" }
            .SelectMany(static file => Regex.Matches(SourceTree.Read(file), "`((?:services|tests|docs|AppHost|ServiceDefaults)/[^`*{<…]*)`").Select(match => match.Groups[1].Value))
            .ToArray();
        Assert.NotEmpty(paths);
        Assert.Empty(paths.Where(static path => !SourceTree.Exists(path)));
    }

    [Fact]
    public void Decisions_are_numbered_without_a_gap_and_listed()
    {
        var decisions = SourceTree.Files.Where(static file => file.StartsWith("docs/decisions/0", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(decisions);
        var list = SourceTree.Read("docs/decisions/README.md");
        for (var i = 0; i < decisions.Length; i++)
        {
            Assert.StartsWith($"docs/decisions/{i + 1:0000}-", decisions[i], StringComparison.Ordinal);
            Assert.Contains(Path.GetFileName(decisions[i]), list, StringComparison.Ordinal);
        }
    }

    private static string Resolve(string from, string target) => Path
        .GetRelativePath(SourceTree.Root, Path.GetFullPath(Path.Combine(SourceTree.Root, Path.GetDirectoryName(from)!, Uri.UnescapeDataString(target))))
        .Replace('\\', '/');

    private static HashSet<string> Anchors(string file) => [.. SourceTree.Lines(file)
        .Where(static line => line.StartsWith('#'))
        .Select(static line => NotInAnchors().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    private static string WithoutCode(string text) => Fenced().Replace(text, "");

    [GeneratedRegex(@"(?:(?<!`)\]\(|src="")(?<target>[^)\s""]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchors();
}
