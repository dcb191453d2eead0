using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Bench.Machine;
using Gateway.Bench.Scenarios;

namespace Gateway.Bench.Reporting;

/// <summary>Writes what was measured: every sample (raw.json), the tables (results.md), a plot for each figure (*.svg).</summary>
internal sealed class Report(MachineDescription machine, BenchOptions options, BenchRun run, IReadOnlyList<Scenario> scenarios, TimeSpan took)
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Summary summary = new(run.Samples);

    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var raw = new
        {
            machine,
            options = new { options.Quick, options.Rounds, slot_seconds = options.Slot.TotalSeconds, options.Only, soak_minutes = options.Soak.TotalMinutes },
            took_seconds = (int)took.TotalSeconds,
            cluster_idle_cpu_us_per_second = run.Gateway?.IdleCpuPerSecond,
            notes = run.Notes,
            samples = run.Samples,
        };
        File.WriteAllText(Path.Combine(folder, "raw.json"), JsonSerializer.Serialize(raw, s_indented) + "\n");
        File.WriteAllText(Path.Combine(folder, "results.md"), Table());
        foreach (var (scenario, figure) in Plots())
        {
            File.WriteAllText(Path.Combine(folder, $"{scenario}-{figure.Replace('_', '-')}.svg"), Plot.Draw(summary, scenario, figure));
        }
    }

    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Benchmark of {machine.Date}{(options.Quick ? " (quick run)" : "")}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{machine.Cores} cores of {machine.Processor}, {machine.MemoryGiB:0.0} GiB, Linux {machine.Kernel}, {machine.Dotnet}, commit {machine.Commit}.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Load average before {machine.LoadBefore}, after {machine.LoadAfter}. Took {took.TotalMinutes:0.0} min. {string.Join(", ", machine.Versions.Select(version => $"{version.Key} {version.Value}"))}.");
        if (run.Gateway is { } gateway)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"The idle cluster uses {gateway.IdleCpuPerSecond.Values.Sum() / 1000:0} ms of processor time a second, not subtracted ({string.Join(", ", gateway.IdleCpuPerSecond.Select(program => FormattableString.Invariant($"{program.Key} {program.Value / 1000:0}")))}).");
        }

        text.AppendLine().AppendLine("Medians; in brackets the median of the ratios to YARP in the same round, and their range.");
        foreach (var note in run.Notes)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"- {note}");
        }

        text.AppendLine().Append(Bars.Table(summary));
        foreach (var scenario in summary.Scenarios)
        {
            var figures = summary.Figures(scenario);
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {scenario}").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"{scenarios.FirstOrDefault(known => known.Name == scenario)?.Description}. Rounds: {summary.Rounds(scenario)}.").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"| peer | {string.Join(" | ", figures)} |");
            text.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(Enumerable.Repeat("--:|", figures.Count))}");
            foreach (var peer in summary.Peers(scenario).Order(PeerOrder.Instance))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {peer} | {string.Join(" | ", figures.Select(figure => Cell(scenario, peer, figure)))} |");
            }
        }

        return text.ToString();
    }

    private IEnumerable<(string Scenario, string Figure)> Plots() =>
        from scenario in summary.Scenarios
        from figure in summary.Figures(scenario)
        where figure is not "failures" && summary.Peers(scenario).Count(peer => summary.Values(scenario, peer, figure).Count > 0) > 1
        select (scenario, figure);

    private string Cell(string scenario, string peer, string figure)
    {
        if (summary.Median(scenario, peer, figure) is not { } median)
        {
            return "";
        }

        var ratios = summary.Ratios(scenario, peer, figure);
        var ratio = peer == Summary.Yardstick || ratios.Count == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" ({summary.Ratio(scenario, peer, figure):0.00}; {ratios.Min():0.00}-{ratios.Max():0.00})");
        return median.ToString(Math.Abs(median) >= 100 ? "0" : Math.Abs(median) >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + ratio;
    }
}

/// <summary>The yardstick, its control, the gateway, then the others.</summary>
internal sealed class PeerOrder : IComparer<string>
{
    private static readonly string[] s_first = ["direct", "yarp", "yarp-b", "edge", OneConnectionScenario.Alone, "cluster"];

    public static PeerOrder Instance { get; } = new();

    public int Compare(string? x, string? y) => (Place(x), x).CompareTo((Place(y), y));

    private static int Place(string? peer) => Array.IndexOf(s_first, peer) is >= 0 and var place ? place : s_first.Length;
}
