using Gateway.Contracts;
using Gateway.Edge.Admission;

namespace Gateway.Edge.Tests.Admission;

public sealed class RouteGrantTests
{
    [Theory]
    [InlineData("llm_api_routes", "/api/chat", true)]
    [InlineData("llm_api_routes", "/v2/embed", true)]
    [InlineData("management_routes", "/api/chat", false)]
    [InlineData("management_routes", "/v2/key/info", true)]
    [InlineData("/api/*", "/api/generate", true)]
    [InlineData("/api/chat", "/api/generate", false)]
    [InlineData("/v2/chat", "/v2/chat", true)]
    [InlineData("/v2/chat", "/v1/chat/completions", false)]
    [InlineData("/chat/completions", "/v2/chat", false)]
    [InlineData("llm_api_routes", "/v1beta/models/m:generateContent", true)]
    [InlineData("management_routes", "/v1beta/models/m:generateContent", false)]
    [InlineData("/v1beta/*", "/v1beta/models/openai/m:generateContent", true)]
    [InlineData("/v1beta/models:generateContent", "/v1beta/models/openai/m:8b:generateContent", true)]
    [InlineData("/v1beta/models:generateContent", "/v1/models/m:generateContent", true)]
    [InlineData("/v1beta/models:generateContent", "/v1beta/models/m:embedContent", false)]
    [InlineData("/chat/completions", "/v1beta/models/m:generateContent", false)]
    [InlineData("/v1/embeddings", "/api/embed", false)]
    [InlineData("/v1/embeddings", "/api/embeddings", false)]
    public void A_key_calls_the_routes_that_it_names_on_every_surface(string allowed, string path, bool may) =>
        Assert.Equal(may, RouteGrant.Allows(Key(allowed), path));

    private static AccessSnapshot Key(string route) => new() { KeyId = "k", AllowedRoutes = [route] };
}
