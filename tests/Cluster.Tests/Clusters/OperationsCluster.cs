using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>Models for everything that can be asked besides chat, answered by the sample provider.</summary>
public sealed class OperationsCluster : RunningCluster
{
    public const string Config = """
        model_list:
          - {model_name: gpt-4, litellm_params: {model: openai/gpt-4}}
          - {model_name: claude-2, litellm_params: {model: anthropic/claude-2}}
          - {model_name: instruct, litellm_params: {model: openai/gpt-3.5-turbo-instruct}}
          - {model_name: vectors, litellm_params: {model: openai/text-embedding-3-small}}
          - {model_name: cohere-vectors, litellm_params: {model: cohere/embed-v4.0}}
          - {model_name: ranks, litellm_params: {model: cohere/rerank-v3.5}}
          - {model_name: jina-ranks, litellm_params: {model: jina_ai/jina-reranker-v2, input_cost_per_query: 0.001}}
          - {model_name: omni-moderation-latest, litellm_params: {model: openai/omni-moderation-latest}}
          - {model_name: pictures, litellm_params: {model: openai/dall-e-3}}
          - {model_name: token-pictures, litellm_params: {model: openai/gpt-image-1}}
          - {model_name: voice, litellm_params: {model: openai/tts-1}}
          - {model_name: token-voice, litellm_params: {model: openai/gpt-4o-mini-tts}}
          - {model_name: ears, litellm_params: {model: openai/whisper-1}}
          - {model_name: token-ears, litellm_params: {model: openai/gpt-4o-transcribe}}
          - {model_name: broken-ears, litellm_params: {model: "openai/whisper-1+status=500"}}

        router_settings:
          num_retries: 0
          fallbacks: [{broken-ears: [ears]}]

        general_settings:
          max_request_size_mb: 4
        """;

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = Config,
        // Real credentials of this machine must not be used by a test.
        Environment = new Dictionary<string, string?> { ["OPENAI_API_KEY"] = null, ["ANTHROPIC_API_KEY"] = null, ["COHERE_API_KEY"] = null, ["JINA_AI_API_KEY"] = null },
    };
}

[CollectionDefinition(Name)]
public sealed class OperationsCollection : ICollectionFixture<OperationsCluster>
{
    public const string Name = "the cluster of operations";
}
