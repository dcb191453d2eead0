using System.Diagnostics;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Failures;

namespace Gateway.Cluster.Tests.Load;

/// <summary>How long an edge may take to its first request. docs/performance.md has how long it takes where nothing else runs.</summary>
[Collection(FailureCollection.Name)]
public sealed class StartTests(FailureCluster cluster)
{
    [Fact]
    public async Task T59_An_edge_that_died_is_ready_again_within_a_minute_however_busy_the_machine_is()
    {
        var killed = Stopwatch.GetTimestamp();
        await cluster.Gateway.KillAsync("edge-1");

        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }
}
