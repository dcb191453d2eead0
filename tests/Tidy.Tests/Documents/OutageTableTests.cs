using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.Documents;

/// <summary>docs/outages.md against the tests that break the cluster, in both directions.</summary>
public sealed class OutageTableTests
{
    private const string Document = "docs/outages.md";

    [Fact]
    public void Every_row_names_tests_that_exist_and_every_test_of_a_failure_is_named()
    {
        var rows = MarkdownTable.Rows(Document, "down", "teams see", "admins see", "money", "tests");
        var named = rows.SelectMany(static row => MarkdownTable.Code(row[4])).ToHashSet(StringComparer.Ordinal);
        var tests = TestMethods.All.Where(static test => test.File.StartsWith("tests/Cluster.Tests/Failures/", StringComparison.Ordinal))
            .Select(static test => test.FullName).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(["Auth", "Redis", "RabbitMQ", "Ledger", "Metering", "PostgreSQL", "a provider", "an edge"], rows.Select(static row => row[0]));
        Assert.All(rows, static row => Assert.NotEmpty(MarkdownTable.Code(row[4])));
        Assert.Empty(named.Except(tests));
        Assert.Empty(tests.Except(named));
    }
}
