using System.Net.Http.Headers;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Upstreams;

/// <summary>Two callers of one model know nothing of one another, and a provider knows nothing of either but the request (T-86).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class StrangersTests(ScriptedCluster cluster)
{
    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}]}""")]
    [InlineData("/v1/embeddings", """{"model":"MODEL","input":"Hello"}""")]
    public async Task T86_No_cookie_header_or_state_of_one_caller_reaches_another(string path, string body)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, Reply.Json(200, """{"object":"list","choices":[],"data":[],"usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}}""")
            .Header("Set-Cookie", "session=of-the-first; Path=/").Header("x-session", "of-the-first").Header("openai-organization", "org-ours"));
        var (first, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        var (second, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://localhost:{cluster.Gateway.Port}") };

        foreach (var (key, own) in new[] { (first, true), (second, false), (second, false) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.Replace("MODEL", model, StringComparison.Ordinal), new MediaTypeHeaderValue("application/json")) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Key);
            if (own)
            {
                request.Headers.Add("Cookie", "mine=1");
                request.Headers.Add("x-mine", "1");
                request.Headers.Add("OpenAI-Organization", "org-of-the-caller");
            }

            using var answer = await http.SendAsync(request);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            Assert.False(answer.Headers.Contains("x-session"));
            Assert.False(answer.Headers.Contains("openai-organization"));
        }

        var received = cluster.Upstream.RequestsOf(model);
        Assert.Equal(3, received.Count);
        foreach (var request in received)
        {
            Assert.Equal("Bearer sk-upstream", request.Headers["Authorization"]);
            Assert.Empty(request.Headers.Keys.Intersect(["Cookie", "x-mine", "OpenAI-Organization"], StringComparer.OrdinalIgnoreCase));
        }

        Assert.Equal(Headers(received[0]), Headers(received[2]));
    }

    private static string[] Headers(ReceivedRequest request) => [.. request.Headers.Select(static header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal)];
}
