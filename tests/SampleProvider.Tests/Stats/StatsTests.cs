using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gateway.SampleProvider.Tests.Stats;

public sealed class StatsTests : IAsyncLifetime
{
    private const string Body = """{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}""";

    private readonly SampleServer server = new();

    public Task InitializeAsync() => server.InitializeAsync();

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Requests_are_counted_by_path_model_key_and_status()
    {
        await server.PostJson("/v1/chat/completions", Body, ("Authorization", "Bearer sk-one"));
        await server.PostJson("/v1/chat/completions", Body, ("Authorization", "Bearer sk-one"));
        await server.PostJson("/v1/messages", Body.Replace("gpt-4", "claude-2+status=529", StringComparison.Ordinal), ("x-api-key", "sk-two"));
        var stats = await server.Stats();

        Assert.Equal(3, stats.GetProperty("requests").GetInt64());
        Assert.Equal(2, stats.GetProperty("by_path").GetProperty("/v1/chat/completions").GetInt64());
        Assert.Equal(1, stats.GetProperty("by_model").GetProperty("claude-2").GetInt64());
        Assert.Equal(2, stats.GetProperty("by_key").GetProperty(Hash("sk-one")).GetInt64());
        Assert.Equal(1, stats.GetProperty("by_key").GetProperty(Hash("sk-two")).GetInt64());
        Assert.Equal(2, stats.GetProperty("by_status").GetProperty("200").GetInt64());
        Assert.DoesNotContain("sk-one", stats.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_largest_concurrency_is_kept_and_a_reset_forgets_everything()
    {
        var hanging = new List<HttpResponseMessage>();
        for (var i = 0; i < 5; i++)
        {
            hanging.Add(await server.Post("/v1/chat/completions", """{"model":"m+hang-after=1","stream":true,"messages":[{"role":"user","content":"x"}]}"""));
        }

        var busy = await server.Stats();
        hanging.ForEach(response => response.Dispose());
        await server.WaitForStats(stats => stats.GetProperty("in_flight").GetInt64() == 0);
        using var reset = await server.Client.PostAsync("/sample/reset", null);
        var after = await server.Stats();

        Assert.Equal(5, busy.GetProperty("in_flight").GetInt64());
        Assert.Equal(5, busy.GetProperty("largest_concurrency").GetInt64());
        Assert.Equal(0, after.GetProperty("requests").GetInt64());
        Assert.Equal(0, after.GetProperty("largest_concurrency").GetInt64());
        Assert.Equal(JsonValueKind.Array, after.GetProperty("rows").ValueKind);
    }

    [Fact]
    public async Task It_says_that_it_lives_and_that_it_is_ready()
    {
        Assert.Equal("Healthy", await server.Client.GetStringAsync("/health/live"));
        Assert.Equal("Healthy", await server.Client.GetStringAsync("/health/ready"));
    }

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16];
}
