using System.Globalization;
using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.Documents;

/// <summary>docs/known-pains.md against the tests: it claims no test that is not there, and forgets none that is.</summary>
public sealed class KnownPainsTests
{
    private const string Document = "docs/known-pains.md";
    private static readonly string[] Results = ["holds", "partly", "open"];

    [Fact]
    public void Every_pain_has_its_row_once_and_in_order()
    {
        var expected = Enumerable.Range(1, 86).SelectMany(static number => number == 7 ? ["T-7", "T-7b"] : new[] { $"T-{number.ToString(CultureInfo.InvariantCulture)}" });
        Assert.Equal(expected, Rows().Select(static row => row.Number));
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var known = TestMethods.All.Select(static test => test.FullName).ToHashSet(StringComparer.Ordinal);
        var missing = Rows().SelectMany(static row => row.Tests.Select(test => (row.Number, test))).Where(named => !known.Contains(named.test));
        Assert.Empty(missing);
    }

    [Fact]
    public void A_row_is_open_when_and_only_when_it_names_no_test()
    {
        Assert.All(Rows(), static row =>
        {
            Assert.Contains(row.Result, Results);
            Assert.True((row.Result == "open") == (row.Tests.Length == 0), $"{row.Number} is {row.Result} and names {row.Tests.Length} tests");
        });
    }

    [Fact]
    public void A_pain_that_a_test_names_is_not_open()
    {
        var rows = Rows().ToDictionary(static row => row.Number);
        var forgotten = TestMethods.All
            .SelectMany(static test => test.Pains.Select(pain => (pain, test.FullName)))
            .Where(named => !rows.TryGetValue(named.pain, out var row) || row.Result == "open")
            .Select(named => $"{named.pain}: {named.FullName}")
            .ToArray();
        Assert.True(forgotten.Length == 0, $"Name these tests in {Document}:\n{string.Join('\n', forgotten)}");
    }

    [Fact]
    public void Every_pain_that_the_sources_speak_of_is_in_the_table()
    {
        var rows = Rows().Select(static row => row.Number).ToHashSet();
        var unknown = SourceTree.CSharp("services", "tests", "AppHost", "ServiceDefaults")
            .SelectMany(static file => TestMethods.PainsIn(string.Join('\n', SourceTree.Lines(file).Where(static line => line.Contains("//", StringComparison.Ordinal)))))
            .Where(pain => !rows.Contains(pain));
        Assert.Empty(unknown.Distinct());
    }

    private static IEnumerable<(string Number, string[] Tests, string Result)> Rows() => MarkdownTable
        .Rows(Document, "number", "what holds", "tests", "result")
        .Select(static row => (row[0], MarkdownTable.Code(row[2]), row[3]));
}
