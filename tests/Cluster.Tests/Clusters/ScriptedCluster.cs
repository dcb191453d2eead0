using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>Three edges before a provider that does what the tests say. Every test uses models and keys of its own.</summary>
public sealed class ScriptedCluster : RunningCluster
{
    /// <summary>What a model of the prefix <c>timed</c> has until its first byte, and in all.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    internal ScriptedModels Upstream { get; private set; } = null!;

    public override async Task InitializeAsync()
    {
        Upstream = await ScriptedModels.StartAsync();
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    private protected override GatewayClusterOptions Options() => new()
    {
        Replicas = 3,
        Config = ScriptedConfig.Of(Upstream.Url, Timeout),
        // Leases go home soon, so that a test need not wait long for the books to be at rest. The other clusters have the defaults.
        Environment = new Dictionary<string, string?> { ["GATEWAY__BUDGETS__IDLEAFTER"] = "00:00:00.500" },
    };
}

[CollectionDefinition(Name)]
public sealed class ScriptedCollection : ICollectionFixture<ScriptedCluster>
{
    public const string Name = "the scripted cluster";
}
