using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Failures;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>Two edges with nearly the settings of every installation, whose programs are stopped, paused and killed. Every test leaves it whole.</summary>
public sealed class FailureCluster : RunningCluster
{
    internal ScriptedModels Upstream { get; private set; } = null!;

    public override async Task InitializeAsync()
    {
        Upstream = await ScriptedModels.StartAsync();
        await base.InitializeAsync();
        await Gateway.IsWholeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    /// <summary>A caller of one edge, with nothing in between.</summary>
    internal async Task<TeamClient> AtEdgeAsync(MadeKey key, string edge = "edge-1") =>
        new(new Uri((await Gateway.ProgramAsync(edge)).Endpoints[0]).Port, key.Key);

    private protected override GatewayClusterOptions Options() => new()
    {
        Replicas = 2,
        Config = ScriptedConfig.Of(Upstream.Url, ScriptedCluster.Timeout),
    };
}

[CollectionDefinition(Name)]
public sealed class FailureCollection : ICollectionFixture<FailureCluster>
{
    public const string Name = "the cluster that is broken";
}
