using System.Net.Http.Json;
using System.Text.Json;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>The mission's own config.yaml, answered by the sample provider: one edge, no key in the environment.</summary>
public sealed class MissionCluster : RunningCluster
{
    public const string Config = """
        model_list:
          - model_name: gpt-4
            litellm_params:
              model: openai/gpt-4
          - model_name: claude-2
            litellm_params:
              model: anthropic/claude-2

        router_settings:
          routing_strategy: usage-based  # or latency-based, cost-based

        user_access:
          - user_id: team-alpha
            models: [gpt-4, claude-2]
            max_budget: 500.00
          - user_id: team-beta
            models: [gpt-4]
            max_budget: 200.00
        """;

    /// <summary>How many requests the sample provider has seen for a model.</summary>
    internal async Task<long> SampleRequestsAsync(string model)
    {
        var address = (await Gateway.ProgramAsync("sample-provider")).Endpoints[0];
        using var http = new HttpClient();
        var stats = await http.GetFromJsonAsync<JsonElement>(new Uri($"{address}/sample/stats"));
        return stats.GetProperty("by_model").TryGetProperty(model, out var requests) ? requests.GetInt64() : 0;
    }

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = Config,
        // Real credentials of this machine must not be used by a test.
        Environment = new Dictionary<string, string?> { ["OPENAI_API_KEY"] = null, ["ANTHROPIC_API_KEY"] = null, ["COHERE_API_KEY"] = null },
    };
}

[CollectionDefinition(Name)]
public sealed class MissionCollection : ICollectionFixture<MissionCluster>
{
    public const string Name = "the mission's cluster";
}
