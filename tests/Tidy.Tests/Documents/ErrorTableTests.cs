using System.Text.RegularExpressions;
using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.Documents;

/// <summary>docs/errors.md against the code: every code with its status, in both directions.</summary>
public sealed partial class ErrorTableTests
{
    private const string Document = "docs/errors.md";

    // The sample provider answers with the errors of the providers that it stands in for: they are not the gateway's.
    private static readonly string[] Sources =
        [.. SourceTree.CSharp("services", "ServiceDefaults").Where(static file => !file.StartsWith("services/SampleProvider/", StringComparison.Ordinal))];

    [Fact]
    public void Every_code_that_is_used_is_in_the_table_with_its_status()
    {
        var table = Table();
        var missing = Used()
            .Where(used => !table.TryGetValue(used.Code, out var statuses) || !statuses.Contains(used.Status))
            .Select(used => $"{used.Code} with status {used.Status} ({used.File})")
            .Distinct()
            .ToArray();
        Assert.True(missing.Length == 0, $"Add to {Document}:\n{string.Join('\n', missing)}");
    }

    [Fact]
    public void Every_row_of_the_table_is_used_with_that_status()
    {
        var used = Used().Select(static one => (one.Code, one.Status)).ToHashSet();
        var unused = Table().SelectMany(static row => row.Value.Select(status => (Code: row.Key, Status: status))).Where(row => !used.Contains(row)).ToArray();
        Assert.True(unused.Length == 0, $"{Document} promises what no code sends:\n{string.Join('\n', unused)}");
    }

    [Fact]
    public void Every_place_that_makes_an_error_names_a_code_of_the_table()
    {
        var table = Table();
        var wrong = new List<string>();
        foreach (var file in Sources)
        {
            var text = SourceTree.Read(file);
            foreach (Match call in Maker().Matches(text))
            {
                // The first text with the form of a code in the call; where there is none, the code comes from a variable of another such call.
                var rest = text.Substring(call.Index, Math.Min(400, text.Length - call.Index));
                var ends = rest.IndexOf(";\n", StringComparison.Ordinal);
                if (CodeLiteral().Match(ends < 0 ? rest : rest[..ends]) is { Success: true } code && !table.ContainsKey(code.Groups[1].Value))
                {
                    wrong.Add($"{file}: {code.Groups[1].Value}");
                }
            }
        }

        Assert.True(wrong.Count == 0, $"Codes that {Document} does not have:\n{string.Join('\n', wrong)}");
    }

    private static Dictionary<string, HashSet<int>> Table()
    {
        var table = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        foreach (var row in MarkdownTable.Rows(Document, "code", "status"))
        {
            var code = Assert.Single(MarkdownTable.Code(row[0]));
            Assert.True(table.TryAdd(code, [.. Status().Matches(row[1]).Select(static match => int.Parse(match.Value, null))]), $"{code} stands twice in {Document}");
            Assert.NotEmpty(table[code]);
            Assert.Equal(4, row.Length);
        }

        return table;
    }

    private static IEnumerable<(string Code, int Status, string File)> Used() => Sources.SelectMany(static file => StatusAndCode()
        .Matches(SourceTree.Read(file))
        .Select(match => (match.Groups[2].Value, int.Parse(match.Groups[1].Value, null), file)));

    [GeneratedRegex(@"\b[1-5]\d\d\b")]
    private static partial Regex Status();

    // Not a named argument: that is the bound of some value.
    [GeneratedRegex(@"(?:\bStatus)?(?<!\d)(?<!\w: )([45]\d\d)(?:[A-Z]\w+)?,\s*(?:Code = )?""([a-z]+(?:_[a-z]+)+)""")]
    private static partial Regex StatusAndCode();

    [GeneratedRegex(@"(?:new GatewayError|Problems\.(?:Result|WriteAsync|Envelope)|new Refusal|\bTold)\(")]
    private static partial Regex Maker();

    [GeneratedRegex(@"""([a-z]+(?:_[a-z]+)+)""")]
    private static partial Regex CodeLiteral();
}
