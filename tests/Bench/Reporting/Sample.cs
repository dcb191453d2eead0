namespace Gateway.Bench.Reporting;

/// <summary>One measurement: one peer in one round of one scenario.</summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Round">From 1.</param>
/// <param name="Peer">Who answered.</param>
/// <param name="Figures">Name with unit (<c>cpu_us</c>) and value.</param>
internal sealed record Sample(string Scenario, int Round, string Peer, Dictionary<string, double> Figures);

/// <summary>Medians of a scenario, and of the ratios to YARP in the same round.</summary>
internal sealed class Summary(IReadOnlyList<Sample> samples)
{
    public const string Yardstick = "yarp";

    public IReadOnlyList<string> Scenarios => [.. samples.Select(sample => sample.Scenario).Distinct()];

    public IReadOnlyList<string> Peers(string scenario) => [.. samples.Where(sample => sample.Scenario == scenario).Select(sample => sample.Peer).Distinct()];

    public IReadOnlyList<string> Figures(string scenario) =>
        [.. samples.Where(sample => sample.Scenario == scenario).SelectMany(sample => sample.Figures.Keys).Distinct()];

    public int Rounds(string scenario) => samples.Where(sample => sample.Scenario == scenario).Select(sample => sample.Round).Distinct().Count();

    public IReadOnlyList<double> Values(string scenario, string peer, string figure) =>
        [.. samples.Where(sample => sample.Scenario == scenario && sample.Peer == peer && sample.Figures.ContainsKey(figure)).Select(sample => sample.Figures[figure])];

    public double? Median(string scenario, string peer, string figure) => MedianOf(Values(scenario, peer, figure));

    /// <summary>The ratio to another peer, round by round: what else ran on the machine in that round hit both.</summary>
    public IReadOnlyList<double> Ratios(string scenario, string peer, string figure, string to = Yardstick)
    {
        var theirs = samples.Where(sample => sample.Scenario == scenario && sample.Peer == to && sample.Figures.GetValueOrDefault(figure) > 0)
            .ToDictionary(sample => sample.Round, sample => sample.Figures[figure]);
        return [.. samples
            .Where(sample => sample.Scenario == scenario && sample.Peer == peer && sample.Figures.ContainsKey(figure) && theirs.ContainsKey(sample.Round))
            .Select(sample => sample.Figures[figure] / theirs[sample.Round])];
    }

    public double? Ratio(string scenario, string peer, string figure, string to = Yardstick) => MedianOf(Ratios(scenario, peer, figure, to));

    private static double? MedianOf(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            return null;
        }

        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
