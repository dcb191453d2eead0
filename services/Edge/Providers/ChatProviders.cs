using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.Azure;
using Gateway.Edge.Providers.Bedrock;
using Gateway.Edge.Providers.Cohere;
using Gateway.Edge.Providers.Gemini;
using Gateway.Edge.Providers.Mistral;
using Gateway.Edge.Providers.Ollama;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Providers.Vertex;
using Gateway.Edge.Providers.Voyage;

namespace Gateway.Edge.Providers;

/// <summary>The protocols that the gateway speaks upstream, by the name that stands in providers.json.</summary>
internal static class ChatProviders
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IChatProvider> All { get; } =
    [
        new OpenAiProvider(),
        new AzureProvider(),
        new MistralProvider(),
        new VoyageProvider(),
        new AnthropicProvider(),
        new CohereProvider(),
        new GeminiProvider(),
        new VertexProvider(),
        new VertexClaudeProvider(),
        new BedrockProvider(),
        new OllamaProvider(),
    ];

    private static readonly Dictionary<string, IChatProvider> ByProtocol = All.ToDictionary(provider => provider.Protocol, StringComparer.OrdinalIgnoreCase);

    /// <summary>The provider of that protocol; null when the gateway does not speak it.</summary>
    public static IChatProvider? Find(string protocol) => ByProtocol.GetValueOrDefault(protocol);
}
