using System.Text.RegularExpressions;
using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.House;

/// <summary>The rules of the house that no analyzer knows.</summary>
public sealed partial class FilesTests
{
    private const int LinesMax = 400;

    // They poll for a condition with a bound, or play an edge that takes its time. A test itself waits for a condition.
    private static readonly string[] MayDelay =
    [
        "tests/AppHost.Tests/Running/Fake.cs",
        "tests/Auth.Tests/Hosting/AuthHost.cs",
        "tests/Bench/",
        "tests/Cluster.Tests/Eventually.cs",
        "tests/Edge.Tests/Admission/Rates/ParallelLimitTests.cs",
        "tests/Edge.Tests/Admission/Rates/RateEdge.cs",
        "tests/Edge.Tests/Admission/Rates/RequestLimitTests.cs",
        "tests/Ledger.Tests/LedgerHost.cs",
        "tests/Metering.Tests/MeteringHost.cs",
        "tests/TestKit/",
    ];

    private static readonly string[] PatternNames = ["Common", "Helpers", "Extensions", "Interfaces", "Utils", "Utilities", "Misc"];

    [Fact]
    public void No_source_file_is_longer_than_can_be_read_in_one_go()
    {
        var tooLong = SourceTree.Files
            .Where(static file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".lua", StringComparison.Ordinal))
            .Where(static file => SourceTree.Lines(file).Length > LinesMax);
        Assert.Empty(tooLong);
    }

    [Fact]
    public void The_list_of_exceptions_has_none_that_went()
    {
        Assert.All(MayDelay, static file => Assert.True(
            SourceTree.CSharp("tests").Any(found => found.StartsWith(file, StringComparison.Ordinal) && Delays().IsMatch(SourceTree.Read(found))),
            $"{file} need not be on the list"));
    }

    [Fact]
    public void No_folder_is_named_after_a_pattern()
    {
        var folders = SourceTree.Files.SelectMany(static file => file.Split('/')[..^1]).Distinct();
        Assert.Empty(folders.Intersect(PatternNames, StringComparer.OrdinalIgnoreCase));
        Assert.Empty(SourceTree.Files.Where(static file => Path.GetFileName(file) is "Extensions.cs" or "Helpers.cs" or "Utils.cs"));
    }

    [Fact]
    public void No_test_sleeps()
    {
        var sleepers = SourceTree.CSharp("tests")
            .Where(static file => !Array.Exists(MayDelay, allowed => file.StartsWith(allowed, StringComparison.Ordinal)))
            .Where(static file => !file.EndsWith("/FilesTests.cs", StringComparison.Ordinal) && Delays().IsMatch(SourceTree.Read(file)));
        Assert.Empty(sleepers);
    }

    [Fact]
    public void Every_service_counts_in_one_file_and_logs_in_one_file()
    {
        foreach (var service in new[] { "Auth", "Edge", "Ledger", "Metering" })
        {
            Assert.Contains($"services/{service}/{service}Metrics.cs", SourceTree.Files);
            Assert.Contains($"services/{service}/{service}Log.cs", SourceTree.Files);
        }

        var loggers = SourceTree.CSharp("services").Where(static file => SourceTree.Read(file).Contains("[LoggerMessage(", StringComparison.Ordinal));
        Assert.All(loggers, static file => Assert.EndsWith("Log.cs", file, StringComparison.Ordinal));
        var meters = SourceTree.CSharp("services").Where(static file => Instrument().IsMatch(SourceTree.Read(file)));
        Assert.All(meters, static file => Assert.EndsWith("Metrics.cs", file, StringComparison.Ordinal));
    }

    [Fact]
    public void No_file_names_a_folder_of_somebodys_machine()
    {
        var named = SourceTree.TextFiles
            .Where(static file => !file.EndsWith("/FilesTests.cs", StringComparison.Ordinal))
            .SelectMany(static file => SourceTree.Lines(file).Select((line, index) => (file, line, index)))
            .Where(static place => Home().IsMatch(place.line))
            .Select(static place => $"{place.file}:{place.index + 1}");
        Assert.Empty(named);
    }

    [Fact]
    public void No_file_refers_to_a_paper_that_a_clone_does_not_have()
    {
        // Notes of those who built it: whoever reads the clone cannot open them.
        var named = SourceTree.TextFiles
            .Where(static file => !file.EndsWith("/FilesTests.cs", StringComparison.Ordinal))
            .Where(static file => Notes().IsMatch(SourceTree.Read(file)));
        Assert.Empty(named);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        // The benchmark has no tests and packages of its own: ./bench builds it.
        var solution = SourceTree.Read("Gateway.sln").Replace('\\', '/');
        var projects = SourceTree.Files.Where(static file => file.EndsWith(".csproj", StringComparison.Ordinal) && !file.StartsWith("tests/Bench/", StringComparison.Ordinal));
        Assert.Empty(projects.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    // A task that never ends is no sleep.
    [GeneratedRegex(@"\b(?:Thread\.Sleep\(|Task\.Delay\((?!Timeout\.Infinite))")]
    private static partial Regex Delays();

    [GeneratedRegex(@"\.Create(Counter|UpDownCounter|Histogram|Gauge|Observable\w+)(<\w+>)?\(\s*""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"(?<![\w.~:/}])(/home|/root|/Users|/work|C:\\Users)[/\\]\w")]
    private static partial Regex Home();

    [GeneratedRegex(@"\b(BRIEF|(?<!docs/)design|style|walkthrough|(?<!\()\bhandover)\.md\b|\bissues show\b", RegexOptions.IgnoreCase)]
    private static partial Regex Notes();
}
