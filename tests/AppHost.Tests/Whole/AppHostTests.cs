using System.Net;
using System.Net.Sockets;
using Gateway.Launcher.Servers;
using Gateway.TestKit;

namespace Gateway.AppHost.Tests.Whole;

/// <summary>The built AppHost over the real servers and services, as a process of its own.</summary>
[Collection("servers")]
public sealed class AppHostTests
{
    private static readonly string[] s_programs = ["redis", "rabbit", "postgres", "sample-provider", "auth", "ledger", "metering", "edge"];

    [Fact]
    public async Task It_gets_ready_restarts_what_dies_and_leaves_nothing_behind()
    {
        await using var cluster = await GatewayCluster.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await cluster.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Contains(cluster.Lines, line => line.StartsWith($"Gateway ready: http://localhost:{cluster.Port}", StringComparison.Ordinal));
        var programs = await cluster.ProgramsAsync();
        Assert.Superset(s_programs.ToHashSet(), programs.Select(program => program.Name).ToHashSet());

        // A service and a server die; both come back, the server on its data and port.
        await cluster.KillAndWaitAsync("metering");
        await cluster.KillAndWaitAsync("redis");
        Assert.Equal(1, (await cluster.ProgramAsync("redis")).Restarts);

        // A second launcher on the same folder is refused and does no harm.
        var second = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            GatewayCluster.StartAsync(new GatewayClusterOptions { DataFolder = cluster.DataFolder }));
        Assert.Contains("Another gateway runs on the data folder", second.Message, StringComparison.Ordinal);

        // The page is for this machine only.
        using var stranger = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{cluster.DashboardPort}/api/resources");
        request.Headers.Host = "evil.example";
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.SendAsync(request)).StatusCode);
        var page = await stranger.GetStringAsync(new Uri($"http://localhost:{cluster.DashboardPort}/"));
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);

        var all = ProcessTree.Descendants(cluster.Process.Id);
        Assert.True(all.Count > s_programs.Length);
        Assert.Equal(0, await cluster.StopAsync());
        Assert.DoesNotContain(all, ProcessTree.IsAlive);
        Assert.True(FreePort.IsFree(cluster.Port));
        Assert.Empty(Directory.GetFiles(Path.Combine(cluster.DataFolder, "run")));
    }

    [Fact]
    public async Task A_killed_launcher_takes_everything_with_it_and_the_next_start_keeps_the_secrets()
    {
        await using var first = await GatewayCluster.StartAsync();
        var all = ProcessTree.Descendants(first.Process.Id);
        var masterKey = first.MasterKey;
        Signals.Send(first.Process.Id, Signal.Kill);
        await first.Process.Exited;
        await Running.Fake.UntilAsync(() => !all.Any(ProcessTree.IsAlive), "every child is gone");

        await using var second = await GatewayCluster.StartAsync(new GatewayClusterOptions { DataFolder = first.DataFolder, Replicas = 2 });
        Assert.Equal(masterKey, second.MasterKey);
        Assert.Equal(["edge-1", "edge-2"], (await second.ProgramsAsync()).Where(program => program.Resource == "edge").Select(program => program.Name));

        // One edge of two is killed: the shared port goes on answering.
        var killed = (await second.ProgramAsync("edge-1")).ProcessId!.Value;
        await second.SendAsync("edge-1", Signal.Kill);
        // Until the launcher has seen its end, its last thread may still hold the port, and a connection there is reset.
        await Running.Fake.UntilAsync(async () => (await second.ProgramAsync("edge-1")).ProcessId != killed, "the edge is gone");
        for (var count = 0; count < 10; count++)
        {
            using var fresh = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await fresh.GetAsync(new Uri($"http://localhost:{second.Port}/health/live"))).StatusCode);
        }

        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_port_in_use_stops_the_start_before_anything_runs()
    {
        using var taken = new TcpListener(IPAddress.Loopback, FreePort.Take());
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayCluster.StartAsync(new GatewayClusterOptions { Port = port }));
        Assert.Contains("ended with code 1", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Port {port}", error.Message, StringComparison.Ordinal);
        Assert.Contains("--port", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("redis ", error.Message, StringComparison.Ordinal);
    }
}
