using System.Diagnostics;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;
using TestServers = Gateway.TestKit.Servers;

namespace Gateway.AppHost.Tests.Running;

/// <summary>Units that are small shell scripts.</summary>
internal static class Fake
{
    public static RunnerPatience Hasty { get; } = new()
    {
        FirstPause = TimeSpan.FromMilliseconds(10),
        LongestPause = TimeSpan.FromMilliseconds(40),
        ProbeWhileStarting = TimeSpan.FromMilliseconds(10),
        ProbeWhileRunning = TimeSpan.FromMilliseconds(20),
        DeathsAtStart = 3,
    };

    public static ExecutableResource Resource(string name) => new(name, "/bin/sh", "/");

    public static RunUnit Unit(string name, string script, params IResource[] waitsFor) => Unit(Resource(name), script, waitsFor);

    public static RunUnit Unit(IResource resource, string script, params IResource[] waitsFor) => new(resource.Name, resource, "script")
    {
        Spec = () => new ProcessSpec(resource.Name, "/bin/sh", ["-c", script]),
        WaitsFor = [.. waitsFor.Select(other => new WaitAnnotation(other, untilHealthy: true))],
        StopLimit = TimeSpan.FromSeconds(5),
    };

    public static string Folder() => TestServers.NewFolder("launcher");

    public static LogHub Log(StringWriter? console = null) => new(console ?? new StringWriter(), coloured: false, TimeProvider.System);

    public static UnitRunner Runner(RunUnit unit, LogHub? log = null) =>
        new(unit, log ?? Log(), new StartedProcesses(Folder()), Hasty, TimeProvider.System);

    public static Cluster Cluster(LogHub log, params RunUnit[] units) =>
        new(units, [], log, new StartedProcesses(Folder()), Hasty, TimeProvider.System);

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), $"It did not come to this: {what}.");
            await Task.Delay(10);
        }
    }
}
