using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Gateway.Bench.Micro;

/// <summary>BenchmarkDotNet over the parts of the warm path: time and bytes allocated for each call.</summary>
internal static class MicroBenchmarks
{
    private static readonly Type[] s_all =
        [typeof(RequestHeadBenchmarks), typeof(UsageBenchmarks), typeof(LeaseBenchmarks), typeof(SpoolBenchmarks), typeof(RouterBenchmarks), typeof(TranslationBenchmarks)];

    /// <param name="filter">Part of a benchmark's name; null runs all.</param>
    /// <param name="folder">Where the tables go.</param>
    public static int Run(string? filter, string folder)
    {
        // In this process: no project is generated and built for each run, and the edge's internal types are visible.
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(ConsoleLogger.Default)
            .AddExporter(MarkdownExporter.GitHub)
            .WithArtifactsPath(folder)
            .WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.JoinSummary);
        var summaries = BenchmarkSwitcher.FromTypes(s_all).Run(["--filter", filter is null ? "*" : $"*{filter}*"], config);
        return summaries.Any() && summaries.All(summary => summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
