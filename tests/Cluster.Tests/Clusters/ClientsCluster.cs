using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>One edge, and models behind every protocol that the sample provider speaks.</summary>
public sealed class ClientsCluster : RunningCluster
{
    public const string Key = "team-clients-token";

    /// <summary>The key of a team that may use one model only.</summary>
    public const string FewKey = "team-few-token";

    /// <summary>A key whose budget pays for no call.</summary>
    public const string PoorKey = "team-poor-token";

    /// <summary>OpenAI's bytes pass, Anthropic's are translated or pass, Cohere's are translated, and Mistral's pass without <c>/responses</c>.</summary>
    public static IReadOnlyList<string> Models { get; } = ["gpt-4o", "claude", "command", "mistral"];

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = """
            model_list:
              - model_name: gpt-4o
                litellm_params:
                  model: openai/gpt-4o
              - model_name: claude
                litellm_params:
                  model: anthropic/claude-sonnet-4-5
              - model_name: command
                litellm_params:
                  model: cohere/command-a-03-2025
              - model_name: mistral
                litellm_params:
                  model: mistral/mistral-large-latest
              - model_name: gpt-4o-vectors
                litellm_params:
                  model: openai/text-embedding-3-small
              - model_name: command-vectors
                litellm_params:
                  model: cohere/embed-v4.0
              - model_name: mistral-vectors
                litellm_params:
                  model: mistral/mistral-embed

            litellm_settings:
              drop_params: true
              include_cost_in_streaming_usage: true

            user_access:
              - user_id: team-clients
                models: [gpt-4o, claude, command, mistral, gpt-4o-vectors, command-vectors, mistral-vectors]
                max_budget: 500.00
              - user_id: team-poor
                models: [gpt-4o, claude, command, mistral]
                max_budget: 0.000000001
              - user_id: team-few
                models: [gpt-4o]
                max_budget: 200.00
            """,
        // Real credentials of this machine must not be used by a test.
        Environment = new Dictionary<string, string?>
        {
            ["OPENAI_API_KEY"] = null, ["ANTHROPIC_API_KEY"] = null, ["COHERE_API_KEY"] = null, ["CO_API_KEY"] = null, ["MISTRAL_API_KEY"] = null,
        },
    };
}

[CollectionDefinition(Name)]
public sealed class ClientsCollection : ICollectionFixture<ClientsCluster>
{
    public const string Name = "the cluster of the official clients";
}
