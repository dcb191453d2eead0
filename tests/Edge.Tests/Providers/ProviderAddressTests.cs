using Gateway.Edge.Operations;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

public sealed class ProviderAddressTests
{
    [Theory]
    [InlineData("openai", "https://api.openai.com/v1", "gpt", null, "https://api.openai.com/v1/chat/completions")]
    [InlineData("openai", "http://localhost:8000/v1/", "m", null, "http://localhost:8000/v1/chat/completions")]
    [InlineData("openai", "https://x.example/v1/chat/completions", "m", null, "https://x.example/v1/chat/completions")]
    [InlineData("openai", "https://x.example/api?team=a", "m", null, "https://x.example/api/chat/completions?team=a")]
    [InlineData("mistral", "https://api.mistral.ai/v1", "m", null, "https://api.mistral.ai/v1/chat/completions")]
    [InlineData("azure", "https://r.openai.azure.com", "gpt 4", "2024-06-01", "https://r.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2024-06-01")]
    [InlineData("azure", "https://r.openai.azure.com/", "d", null, "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21")]
    [InlineData("azure", "https://r.openai.azure.com/openai/deployments/own", "d", "v", "https://r.openai.azure.com/openai/deployments/own/chat/completions?api-version=v")]
    [InlineData("azure", "https://r.openai.azure.com/openai/v1", "d", null, "https://r.openai.azure.com/openai/v1/chat/completions")]
    [InlineData("anthropic", "https://api.anthropic.com", "c", null, "https://api.anthropic.com/v1/messages")]
    [InlineData("anthropic", "https://api.anthropic.com/v1/", "c", null, "https://api.anthropic.com/v1/messages")]
    [InlineData("cohere", "https://api.cohere.com", "c", null, "https://api.cohere.com/v2/chat")]
    [InlineData("cohere", "https://api.cohere.com/v2", "c", null, "https://api.cohere.com/v2/chat")]
    [InlineData("gemini", "https://generativelanguage.googleapis.com", "g", null, "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent")]
    [InlineData("gemini", "https://generativelanguage.googleapis.com/v1beta", "g", null, "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent")]
    [InlineData("vertex", "https://europe-west1-aiplatform.googleapis.com", "g", null, "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/r/publishers/google/models/g:generateContent")]
    [InlineData("vertex-claude", "https://us-east5-aiplatform.googleapis.com", "claude-opus-4-1@20250805", null, "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/r/publishers/anthropic/models/claude-opus-4-1@20250805:rawPredict")]
    [InlineData("bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com", "a.b-v1:0", null, "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1%3A0/converse")]
    [InlineData("ollama", "http://localhost:11434", "l", null, "http://localhost:11434/api/chat")]
    public void The_address_of_a_call(string protocol, string baseAddress, string model, string? version, string expected) =>
        Assert.Equal(
            expected,
            ProviderCases.Provider(protocol).ChatAddress(new ProviderTarget(model, new Uri(baseAddress), "k", version) { Cloud = new CloudAccess { Project = "p", Region = "r" } }, stream: false).AbsoluteUri);

    [Theory]
    [InlineData("openai", "https://api.openai.com/v1", "https://api.openai.com/v1/embeddings")]
    [InlineData("openai", "https://x.example/v1/chat/completions", "https://x.example/v1/embeddings")]
    [InlineData("azure", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/deployments/d/embeddings?api-version=2024-10-21")]
    [InlineData("azure", "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=v", "https://r.openai.azure.com/openai/deployments/d/embeddings?api-version=v")]
    [InlineData("azure", "https://r.openai.azure.com/openai/v1", "https://r.openai.azure.com/openai/v1/embeddings")]
    [InlineData("cohere", "https://api.cohere.com/v2", "https://api.cohere.com/v2/embed")]
    public void The_address_of_embeddings_stands_beside_that_of_chat(string protocol, string baseAddress, string expected) =>
        Assert.Equal(expected, ProviderCases.Provider(protocol).Serve(OperationKind.Embeddings)!.Address(new ProviderTarget("d", new Uri(baseAddress), "k")).AbsoluteUri);

    [Theory]
    [InlineData("vertex-claude", "https://h.example/v1/projects//locations/global/publishers/anthropic/models/g:streamRawPredict")]
    [InlineData("gemini", "https://h.example/v1beta/models/g:streamGenerateContent?alt=sse")]
    [InlineData("bedrock", "https://h.example/model/g/converse-stream")]
    public void A_stream_has_an_address_of_its_own(string protocol, string expected) =>
        Assert.Equal(expected, ProviderCases.Provider(protocol).ChatAddress(new ProviderTarget("g", new Uri("https://h.example"), "k"), stream: true).AbsoluteUri);

    [Theory]
    [InlineData("openai", "Authorization", "Bearer k")]
    [InlineData("azure", "api-key", "k")]
    [InlineData("anthropic", "x-api-key", "k")]
    [InlineData("anthropic", "anthropic-version", "2023-06-01")]
    [InlineData("cohere", "Authorization", "Bearer k")]
    [InlineData("gemini", "x-goog-api-key", "k")]
    [InlineData("bedrock", "Authorization", "Bearer k")]
    [InlineData("ollama", "Authorization", "Bearer k")]
    public void The_credential_stands_where_the_protocol_wants_it(string protocol, string header, string expected)
    {
        using var request = new HttpRequestMessage();
        ProviderCases.Provider(protocol).AddHeaders(new ProviderTarget("m", new Uri("https://h.example"), "k"), request.Headers);

        Assert.Equal(expected, Assert.Single(request.Headers.GetValues(header)));
    }
}
