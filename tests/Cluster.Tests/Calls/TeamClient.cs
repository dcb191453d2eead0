using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Cluster.Tests.Calls;

/// <summary>A caller with one key. Connections are its own: with several edges its calls reach all of them.</summary>
internal sealed class TeamClient : IDisposable
{
    private readonly HttpClient http;

    public TeamClient(int port, string? key)
    {
        // A fresh connection for each call that finds none free; none is kept for the next test.
        http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(60), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30) })
        {
            BaseAddress = new Uri($"http://localhost:{port}"),
            Timeout = TimeSpan.FromMinutes(3),
        };
        Key = key;
    }

    public string? Key { get; }

    /// <summary>A chat that does not stream.</summary>
    public Task<Answer> ChatAsync(string model, string text = "Hello!", int? maxTokens = null, CancellationToken cancellation = default) =>
        PostAsync("/v1/chat/completions", Body(model, text, maxTokens), cancellation);

    /// <summary>A chat that streams: returns when the answer's head is here.</summary>
    public Task<ChatStream> StreamAsync(string model, string text = "Hello!", int? maxTokens = null, bool withUsage = false)
    {
        var body = Body(model, text, maxTokens);
        body["stream"] = true;
        if (withUsage)
        {
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return StreamAsync(body);
    }

    public Task<ChatStream> StreamAsync(JsonObject body) => ChatStream.OpenAsync(http, Request(HttpMethod.Post, "/v1/chat/completions", body.ToJsonString()));

    public Task<Answer> PostAsync(string path, JsonNode body, CancellationToken cancellation = default) => SendAsync(HttpMethod.Post, path, body.ToJsonString(), cancellation);

    public Task<Answer> GetAsync(string path, CancellationToken cancellation = default) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public async Task<Answer> SendAsync(
        HttpMethod method, string path, string? body, CancellationToken cancellation = default, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = Request(method, path, body);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var response = await http.SendAsync(request, cancellation);
        return new Answer(
            (int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync(cancellation));
    }

    public static JsonObject Body(string model, string text, int? maxTokens = null)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        };
        if (maxTokens is { } most)
        {
            body["max_tokens"] = most;
        }

        return body;
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request(HttpMethod method, string path, string? body)
    {
        var request = new HttpRequestMessage(method, path);
        if (Key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        return request;
    }
}
