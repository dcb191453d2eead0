using Gateway.Launcher.Servers;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>How the tests break things.</summary>
internal static class Failure
{
    /// <summary>A server's restart on a busy machine, and everybody's way back to it.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(4);

    /// <summary>kill -9, and back when the launcher has started it again and it is healthy.</summary>
    public static async Task KillAsync(this GatewayCluster cluster, string program)
    {
        var before = await cluster.ProgramAsync(program);
        await cluster.SendAsync(program, Signal.Kill);
        await cluster.IsBackAsync(program, before.Restarts);
    }

    /// <summary>Waits until a program is healthy after more than <paramref name="restarts"/> restarts.</summary>
    public static Task IsBackAsync(this GatewayCluster cluster, string program, int restarts) => Eventually.Is(
        () => cluster.ProgramAsync(program), now => now.Restarts > restarts && now.Healthy, $"{program} was started again and is healthy", Limit);

    /// <summary>Waits until everything is healthy: the state in which every test begins and ends.</summary>
    public static Task IsWholeAsync(this GatewayCluster cluster) => Eventually.Is(
        async () => string.Join(", ", (await cluster.ProgramsAsync()).Where(static program => !program.Healthy).Select(static program => $"{program.Name} is {program.State}")),
        static unwell => unwell.Length == 0,
        "every program is healthy",
        Limit);
}
