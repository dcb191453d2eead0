using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Operations;

/// <summary>Whatever is asked of a provider, and however: the answer says what it cost, and it counts in every budget, the provider's too.</summary>
[Collection(OperationsCollection.Name)]
public sealed class EverySurfaceTests(OperationsCluster cluster)
{
    private const string Budget = "provider/openai";

    [Fact]
    public async Task T14_T15_every_surface_says_its_cost_counts_in_the_providers_budget_and_is_refused_when_that_is_used_up()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(maxBudget: 5, "surfaces");
        using var team = cluster.Team(key);
        await cluster.Admin.PostAsync("/budget/new", new { budget_id = Budget, max_budget = 1_000 });
        try
        {
            await Eventually.Holds(
                async () => (await cluster.Books.WindowsOfAsync((await ChatAsync(team)).RequestId)).Contains(Budget, StringComparer.Ordinal), "the edge counts in the provider's budget");
            var before = await SettledAsync();
            long sum = 0;
            foreach (var (path, body) in Asks())
            {
                var answer = await SendAsync(key, path, body);
                Assert.True(answer.Status == 200, $"{path}: {answer.Body}");
                Assert.True(answer.Header("x-gateway-cost") is not null, $"{path} does not say its cost");
                Assert.Equal(answer.Header("x-gateway-cost"), answer.Header("x-litellm-response-cost"));
                Assert.Equal(((await cluster.Books.RowOfAsync(answer.RequestId)).Cost, true), (answer.Cost, path == "/v1/moderations" || answer.Cost > 0));
                sum += answer.Cost;
            }

            await Eventually.Is(SettledAsync, spent => spent == before + sum, "all of them are in the provider's budget, to the nano-dollar");

            await cluster.Admin.PostAsync("/budget/update", new { budget_id = Budget, max_budget = (before + sum) / 1_000_000_000m });
            await Eventually.Is(() => ChatAsync(team), static answer => answer.Status == 429, "the budget is used up");
            foreach (var (path, body) in Asks().Where(static ask => ask.Path != "/v1/moderations"))
            {
                var refused = await SendAsync(key, path, body);
                Assert.True(refused.Status == 429, $"{path}: {refused.Status} {refused.Body}");
                Assert.Contains("budget", refused.Body, StringComparison.Ordinal);
            }

            Assert.Equal(before + sum, await SettledAsync());
        }
        finally
        {
            await cluster.Admin.PostAsync("/budget/delete", new { id = Budget });
        }
    }

    [Theory]
    [InlineData("/openai/chat/completions")]
    [InlineData("/openai/v1/chat/completions")]
    [InlineData("/anthropic/v1/messages")]
    [InlineData("/cohere/v2/chat")]
    [InlineData("/v1/chat")]
    [InlineData("/api/pull")]
    [InlineData("/v1/realtime")]
    [InlineData("/v1/videos")]
    public async Task T15_no_route_leads_past_the_budgets_to_a_provider(string path)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(maxBudget: 5, "surfaces");
        using var team = cluster.Team(key);

        var answer = await team.PostAsync(path, TeamClient.Body("gpt-4", "Hello!"));

        Assert.Equal(404, answer.Status);
        Assert.Null(answer.Header("x-gateway-request-id"));
    }

    private static IEnumerable<(string Path, HttpContent Body)> Asks() =>
    [
        ("/v1/chat/completions", Json(TeamClient.Body("gpt-4", "Hello!"))),
        ("/openai/deployments/gpt-4/chat/completions?api-version=2024-10-21", Json(TeamClient.Body("gpt-4", "Hello!"))),
        ("/v1/responses", Json(new JsonObject { ["model"] = "gpt-4", ["input"] = "Hello!" })),
        ("/v1/messages", Json(WithMost(TeamClient.Body("gpt-4", "Hello!")))),
        ("/v1/completions", Json(new JsonObject { ["model"] = "instruct", ["prompt"] = "Hello!" })),
        ("/v2/chat", Json(TeamClient.Body("gpt-4", "Hello!"))),
        ("/api/chat", Json(Unstreamed(TeamClient.Body("gpt-4", "Hello!")))),
        ("/api/generate", Json(Unstreamed(new JsonObject { ["model"] = "gpt-4", ["prompt"] = "Hello!" }))),
        ("/v2/embed", Json(new JsonObject { ["model"] = "vectors", ["texts"] = new JsonArray("Hello!"), ["input_type"] = "search_query" })),
        ("/api/embed", Json(new JsonObject { ["model"] = "vectors", ["input"] = "Hello!" })),
        ("/api/embeddings", Json(new JsonObject { ["model"] = "vectors", ["prompt"] = "Hello!" })),
        ("/v1/embeddings", Json(new JsonObject { ["model"] = "vectors", ["input"] = "Hello!" })),
        ("/v1/moderations", Json(new JsonObject { ["model"] = "omni-moderation-latest", ["input"] = "Hello!" })),
        ("/v1/images/generations", Json(new JsonObject { ["model"] = "pictures", ["prompt"] = "a river" })),
        ("/v1/audio/speech", Json(new JsonObject { ["model"] = "voice", ["input"] = "Hello!", ["voice"] = "alloy" })),
        ("/v1/audio/speech", Json(new JsonObject { ["model"] = "token-voice", ["input"] = "Hello!", ["voice"] = "alloy" })),
        ("/v1/audio/transcriptions", Recording()),
        ("/v1/audio/translations", Recording()),
    ];

    private static JsonObject WithMost(JsonObject body)
    {
        body["max_tokens"] = 100;
        return body;
    }

    private static JsonObject Unstreamed(JsonObject body)
    {
        body["stream"] = false;
        return body;
    }

    private static StringContent Json(JsonObject body) => new(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));

    private static MultipartFormDataContent Recording() => new() { { new StringContent("ears"), "model" }, { new ByteArrayContent(new byte[16_000]), "file", "talk.wav" } };

    private static Task<Answer> ChatAsync(TeamClient team) => team.ChatAsync("gpt-4");

    private async Task<long> SettledAsync() => (await Eventually.Is(
        () => cluster.Books.WindowAsync(Budget), static window => window is not null && window.Edges.Values.All(static edge => edge.Granted == edge.Posted), $"nothing of {Budget} is under way"))!.Spent;

    private async Task<Answer> SendAsync(MadeKey key, string path, HttpContent body)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{cluster.Gateway.Port}") };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Key);
        using var response = await http.SendAsync(request);
        return new Answer((int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
    }
}
