using System.Globalization;
using System.Runtime.InteropServices;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;
using Gateway.Bench.Micro;
using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;
using Gateway.Bench.Scenarios;
using Gateway.TestKit;

namespace Gateway.Bench;

internal static class BenchMain
{
    private static readonly Scenario[] s_scenarios =
    [
        // First, while the heaps are small: what a stream holds shows only where there is no spare room yet.
        new PacedScenario(),
        new PlainScenario("plain-1k", 1024, everyPeer: true),
        new PlainScenario("plain-32k", 32 * 1024, isQuick: false),
        new PlainScenario("plain-400k", 400 * 1024),
        new OneConnectionScenario(),
        new FixedRateScenario(),
        new StreamScenario("stream-50", Prompts.FlushedModel, 32, "each flushed, as fast as they go (several often arrive together)", isQuick: false),
        new StreamScenario("stream-20ms", Prompts.SteadyModel, 100, "20 ms apart (each arrives by itself)", isQuick: true),
        new FirstFrameScenario(),
        new RefusedScenario(),
        new OverloadScenario(),
        new StoresScenario(),
        new SoakScenario(),
    ];

    public static async Task<int> Main(string[] args)
    {
        BenchOptions options;
        try
        {
            if (args.Contains("--help"))
            {
                Console.WriteLine(BenchOptions.Usage);
                return 0;
            }

            if (args is ["--micro", .. var filter])
            {
                return MicroBenchmarks.Run(filter.FirstOrDefault(), Path.Combine(GatewayCluster.Repository, ".data/bench/micro"));
            }

            options = BenchOptions.Read(args);
            var unknown = options.Only.Except(s_scenarios.Select(scenario => scenario.Name)).ToList();
            if (unknown.Count > 0)
            {
                throw new FormatException($"there is no scenario {string.Join(", ", unknown)} (./bench --list)");
            }
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"bench: {e.Message}");
            return 2;
        }

        if (options.List)
        {
            foreach (var scenario in s_scenarios)
            {
                Console.WriteLine($"{scenario.Name,-16} {scenario.Description}");
            }

            return 0;
        }

        if (Wrk.Program is null)
        {
            Console.Error.WriteLine("bench: wrk is not installed: apt-get install wrk (./bench does so)");
            return 1;
        }

        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            return await RunAsync(options, stop.Token) ? 0 : 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.Error.WriteLine("bench: stopped");
            return 130;
        }

        void Stop(PosixSignalContext context)
        {
            // Everything that was started is ended in order first.
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task<bool> RunAsync(BenchOptions options, CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetUtcNow();
        var machine = MachineDescription.Read(
            began.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Environment.GetEnvironmentVariable("BENCH_COMMIT") ?? "unknown");
        Console.WriteLine($"bench: {machine.Cores} cores, {machine.Processor}, kernel {machine.Kernel}, {machine.Dotnet}");
        Console.WriteLine($"bench: load before: {machine.LoadBefore}{(IsBusy(machine) ? " (other programs run here: trust the ratios, not the figures)" : "")}");

        await using var run = new BenchRun(options, cancellation);
        await run.StartAsync();
        if (options.Hold)
        {
            await run.HoldAsync();
            return true;
        }

        foreach (var peer in run.Peers.Where(peer => peer.Version.Length > 0 && peer.Name != "yarp-b"))
        {
            machine.Versions[peer.Name] = peer.Version;
        }

        var complete = true;
        foreach (var scenario in s_scenarios.Where(scenario => IsWanted(scenario, options)))
        {
            try
            {
                await run.RunAsync(scenario);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                // What was measured before is worth keeping.
                run.Note($"{scenario.Name} failed: {e.Message}");
                Console.Error.WriteLine(e);
                complete = false;
            }
        }

        machine = machine with { LoadAfter = MachineDescription.Load() };
        var folder = options.Out ?? NewFolder(Path.Combine(
            GatewayCluster.Repository, options.Quick ? $".data/bench/{machine.Date}" : $"tests/Bench/results/{machine.Date}"));
        var report = new Report(machine, options, run, s_scenarios, TimeProvider.System.GetUtcNow() - began);
        report.Write(folder);
        Console.WriteLine();
        Console.WriteLine(report.Table());
        Console.WriteLine($"bench: written to {Path.GetRelativePath(Environment.CurrentDirectory, folder)}");
        return complete;
    }

    private static bool IsWanted(Scenario scenario, BenchOptions options) => scenario is SoakScenario
        ? options.Soak > TimeSpan.Zero
        : options.Only.Count > 0 ? options.Only.Contains(scenario.Name) : scenario.IsQuick || !options.Quick;

    // A run that was kept is not written over by a later one of the same day.
    private static string NewFolder(string folder) => Enumerable.Range(1, int.MaxValue).Select(number => number == 1 ? folder : $"{folder}-{number}").First(name => !Directory.Exists(name));

    private static bool IsBusy(MachineDescription machine) => double.Parse(machine.LoadBefore.Split(' ')[0], CultureInfo.InvariantCulture) > 0.5;
}
