using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>What one caller sends or gets reaches no other, and no provider (T-86, T-71).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class CallerStateTests(ScriptedCluster cluster)
{
    [Fact]
    public async Task T86_Cookies_headers_and_credentials_of_a_caller_stay_with_the_gateway()
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, exchange => exchange.Send(
            OpenAiReplies.Whole(model, "Yes.", 10, 25).Header("Set-Cookie", "session=of-the-first; Path=/").Header("X-Of-The-Provider", "secret")));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        var (others, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var first = cluster.Team(key);
        using var second = cluster.Team(others);
        var body = Calls.TeamClient.Body(model, "Hello!").ToJsonString();

        // Several times: the connections to the provider are shared.
        for (var round = 0; round < 4; round++)
        {
            var got = await first.SendAsync(
                HttpMethod.Post, "/v1/chat/completions", body, default, ("Cookie", "mine=1"), ("X-Of-The-Caller", "private"), ("OpenAI-Organization", "org-mine"), ("X-Forwarded-For", "10.1.1.1"));
            Assert.Equal(200, got.Status);
            Assert.Null(got.Header("Set-Cookie"));
            Assert.Null(got.Header("X-Of-The-Provider"));
            Assert.Equal(200, (await second.SendAsync(HttpMethod.Post, "/v1/chat/completions", body)).Status);
        }

        Assert.All(cluster.Upstream.RequestsOf(model), received =>
        {
            Assert.Equal("Bearer sk-upstream", received.Headers["Authorization"]);
            Assert.Empty(received.Headers.Keys.Except(["Authorization", "Content-Type", "Content-Length", "Host"], StringComparer.OrdinalIgnoreCase));
        });
    }

    [Theory]
    [InlineData("/v1/chat/completions", "messages", "api_base", "\"http://evil.example\"")]
    [InlineData("/v1/chat/completions", "messages", "extra_headers", """{"Authorization":"x"}""")]
    [InlineData("/v1/messages", "messages", "base_url", "\"http://evil.example\"")]
    [InlineData("/v1/responses", "input", "api_key", "\"sk-mine\"")]
    [InlineData("/v1/responses", "input", "aws_secret_access_key", "\"x\"")]
    [InlineData("/api/chat", "messages", "api_base", "\"http://evil.example\"")]
    [InlineData("/api/embed", "input", "api_base", "\"http://evil.example\"")]
    [InlineData("/v2/chat", "messages", "extra_headers", """{"Authorization":"x"}""")]
    [InlineData("/v2/embed", "texts", "api_key", "\"sk-mine\"")]
    [InlineData("/v1/embeddings", "input", "vertex_credentials", "\"x\"")]
    public async Task T71_Address_credential_and_headers_of_the_provider_are_not_a_callers_to_set(string path, string content, string field, string value)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, path, $$"""{"model":"{{model}}","max_tokens":5,"{{content}}":[{"role":"user","content":"x"}],"{{field}}":{{value}}}""");

        Assert.Equal(400, got.Status);
        Assert.Contains("\"code\":\"invalid_request\"", got.Body, StringComparison.Ordinal);
        Assert.Empty(cluster.Upstream.RequestsOf(model));
    }
}
