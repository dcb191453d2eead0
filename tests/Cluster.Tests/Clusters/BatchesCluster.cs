using Gateway.Cluster.Tests.Calls;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>Two edges before the sample provider's files and batches, which are looked at often.</summary>
public sealed class BatchesCluster : RunningCluster
{
    public const string Config = """
        model_list:
          - {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}
          - {model_name: claude-2, litellm_params: {model: anthropic/claude-2}}
        """;

    /// <summary>A caller of one edge, with nothing in between.</summary>
    internal async Task<TeamClient> AtEdgeAsync(MadeKey key, string edge) => new(new Uri((await Gateway.ProgramAsync(edge)).Endpoints[0]).Port, key.Key);

    /// <summary>Lets every batch go on that the sample provider holds.</summary>
    internal async Task ReleaseAsync()
    {
        using var sample = await SampleAsync();
        (await sample.PostAsync(new Uri("/sample/batches/release", UriKind.Relative), null)).EnsureSuccessStatusCode();
    }

    /// <summary>The sample provider itself, as the edges see it.</summary>
    internal async Task<HttpClient> SampleAsync() => new() { BaseAddress = new Uri((await Gateway.ProgramAsync("sample-provider")).Endpoints[0]) };

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = Config,
        Replicas = 2,
        Environment = new Dictionary<string, string?>
        {
            ["OPENAI_API_KEY"] = null,
            ["ANTHROPIC_API_KEY"] = null,
            ["GATEWAY__BATCHES__LOOKEVERY"] = "00:00:00.400",
            ["GATEWAY__BUDGETS__IDLEAFTER"] = "00:00:00.500",
        },
    };
}

[CollectionDefinition(Name)]
public sealed class BatchesCollection : ICollectionFixture<BatchesCluster>
{
    public const string Name = "the cluster of batches";
}
