using System.Text.RegularExpressions;
using Gateway.Tidy.Tests.Repository;

namespace Gateway.Tidy.Tests.Documents;

/// <summary>docs/telemetry.md against the instruments in the sources and the metrics that the alert rules use.</summary>
public sealed partial class TelemetryTableTests
{
    private const string Document = "docs/telemetry.md";
    private const string Alerts = "AppHost/Prometheus/alerts.yml";

    private static readonly string[] HistogramEndings = ["_bucket", "_sum", "_count"];

    [Fact]
    public void Every_instrument_has_a_row_and_every_row_an_instrument()
    {
        var made = Made().Select(static one => one.Name).ToArray();
        Assert.Equal(made.Length, made.Distinct().Count());
        Assert.Equal(made.Order(), Rows().Select(static row => row.Name).Order());
    }

    [Fact]
    public void Units_are_those_of_the_sources_and_Prometheus_names_what_the_exporter_makes_of_them()
    {
        var rows = Rows().ToDictionary(static row => row.Name);
        Assert.All(Made(), made =>
        {
            var row = rows[made.Name];
            Assert.True(row.Unit is null || made.Statement.Contains($"\"{row.Unit}\"", StringComparison.Ordinal), $"{made.Name}: its source does not say \"{row.Unit}\"");
            Assert.Equal(PrometheusName(made.Name, row.Unit, made.Kind), row.PrometheusName);
        });
    }

    [Fact]
    public void Alert_rules_use_only_metrics_that_there_are()
    {
        var histograms = Made().Where(static one => one.Kind == "Histogram").Select(static one => one.Name).ToHashSet(StringComparer.Ordinal);
        var known = Rows().SelectMany(row => histograms.Contains(row.Name) ? HistogramEndings.Select(ending => row.PrometheusName + ending) : [row.PrometheusName]).ToHashSet(StringComparer.Ordinal);
        var used = MetricName().Matches(SourceTree.Read(Alerts)).Select(static match => match.Value).ToArray();
        Assert.NotEmpty(used);
        Assert.Empty(used.Where(name => !known.Contains(name)));
    }

    /// <summary>The exporter's rule: words joined by underscores, the unit written out unless the name ends in it already, a counter ends in total.</summary>
    private static string PrometheusName(string name, string? unit, string kind)
    {
        var words = name.Replace('.', '_');
        var suffix = unit switch
        {
            null or "1" or ['{', ..] => null,
            "s" => "seconds",
            "By" => "bytes",
            _ => unit,
        };
        if (suffix is not null && !words.Contains(suffix, StringComparison.Ordinal))
        {
            words = $"{words}_{suffix}";
        }

        return kind.Contains("Counter", StringComparison.Ordinal) && !kind.Contains("UpDown", StringComparison.Ordinal) ? $"{words}_total" : words;
    }

    private static IEnumerable<(string Name, string Kind, string Statement)> Made() => SourceTree.CSharp("services", "ServiceDefaults").SelectMany(static file =>
    {
        var text = SourceTree.Read(file);
        return Instrument().Matches(text).Select(match =>
        {
            var rest = text[match.Index..];
            return (match.Groups["name"].Value, match.Groups["kind"].Value, rest[..(rest.IndexOf(";\n", StringComparison.Ordinal) + 1)]);
        });
    });

    private static IEnumerable<(string Name, string PrometheusName, string? Unit)> Rows() => MarkdownTable
        .Rows(Document, "instrument", "Prometheus name", "unit", "labels", "meaning")
        .Select(static row => (Assert.Single(MarkdownTable.Code(row[0])), Assert.Single(MarkdownTable.Code(row[1])), row[2] == "none" ? null : Assert.Single(MarkdownTable.Code(row[2]))));

    [GeneratedRegex(@"\.Create(?<kind>Counter|UpDownCounter|Histogram|Gauge|Observable\w+)(?:<\w+>)?\(\s*""(?<name>[^""]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"\bgateway_[a-z_A-Z]+")]
    private static partial Regex MetricName();
}
