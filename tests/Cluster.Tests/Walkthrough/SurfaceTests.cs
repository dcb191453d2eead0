using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Walkthrough;

/// <summary>What a team meets on the same address: both paths, streams, its models, and errors in OpenAI's envelope.</summary>
[Collection(MissionCollection.Name)]
public sealed class SurfaceTests(MissionCluster cluster)
{
    [Theory]
    [InlineData("/chat/completions", "gpt-4")]
    [InlineData("/v1/chat/completions", "gpt-4")]
    [InlineData("/chat/completions", "claude-2")]
    [InlineData("/v1/chat/completions", "claude-2")]
    public async Task Both_paths_answer_for_both_providers(string path, string model)
    {
        using var team = cluster.Team("team-alpha-token");
        var answer = await team.PostAsync(path, TeamClient.Body(model, "Which way is north?"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(model, answer.Json.GetProperty("model").GetString());
        Assert.NotEmpty(answer.Text!);
        Assert.True(answer.Cost > 0);
    }

    [Theory]
    [InlineData("gpt-4")]
    [InlineData("claude-2")]
    public async Task A_stream_says_what_the_whole_answer_says_and_ends_with_done(string model)
    {
        using var team = cluster.Team("team-alpha-token");
        var whole = await team.ChatAsync(model, "Twice the same");
        await using var stream = await team.StreamAsync(model, "Twice the same");
        await stream.ToEndAsync();

        Assert.Equal(200, stream.Status);
        Assert.True(stream.IsDone);
        Assert.Equal(whole.Text, stream.Text);
        Assert.Null(stream.Usage);
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal(whole.Cost, row.Cost);
        Assert.True(row.Streamed);
        Assert.False(row.Estimated);
    }

    [Fact]
    public async Task A_model_that_is_not_granted_is_denied()
    {
        using var team = cluster.Team("team-beta-token");
        (await team.ChatAsync("claude-2")).IsError(403, "model_access_denied");
        (await team.ChatAsync("gpt-4")).IsOk();
    }

    [Fact]
    public async Task A_wrong_key_and_no_key_are_refused()
    {
        using var wrong = cluster.Team("team-gamma-token");
        using var none = cluster.Team((string?)null);
        var refused = await wrong.ChatAsync("gpt-4");
        refused.IsError(401, "invalid_api_key");
        Assert.True(refused.Header("x-gateway-request-id") is not null, "An error without a request id cannot be asked about.");
        (await none.ChatAsync("gpt-4")).IsError(401, "missing_api_key");
        (await wrong.GetAsync("/v1/models")).IsError(401, "invalid_api_key");
        (await none.GetAsync("/v1/models")).IsError(401, "missing_api_key");
    }

    [Fact]
    public async Task An_unknown_model_is_told_apart_only_for_a_key_with_every_model()
    {
        var every = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("every-model") });
        using var admin = cluster.Team(every);
        using var team = cluster.Team("team-beta-token");
        (await admin.ChatAsync("gpt-none")).IsError(404, "model_not_found");
        (await team.ChatAsync("gpt-none")).IsError(403, "model_access_denied");
    }

    [Fact]
    public async Task The_list_of_models_is_the_caller_s_own()
    {
        using var alpha = cluster.Team("team-alpha-token");
        using var beta = cluster.Team("team-beta-token");
        Assert.Equal(["claude-2", "gpt-4"], await ModelsAsync(alpha));
        Assert.Equal(["gpt-4"], await ModelsAsync(beta));
        Assert.Equal("gpt-4", (await beta.GetAsync("/v1/models/gpt-4")).Json.GetProperty("id").GetString());

        // Ollama's clients ask in their own form.
        Assert.Equal(["gpt-4"], (await beta.GetAsync("/api/tags")).Json.GetProperty("models").EnumerateArray().Select(static model => model.GetProperty("name").GetString()));
        Assert.Equal(404, (await beta.PostAsync("/api/show", new JsonObject { ["model"] = "claude-2" })).Status);
        Assert.Equal("completion", (await alpha.PostAsync("/api/show", new JsonObject { ["name"] = "claude-2" })).Json.GetProperty("capabilities")[0].GetString());
        using var wrong = cluster.Team("team-gamma-token");
        var refused = await wrong.GetAsync("/api/tags");
        Assert.Equal((401, "invalid_api_key"), (refused.Status, refused.Json.GetProperty("code").GetString()));
    }

    [Theory]
    [InlineData("{\"model\":\"gpt-4\",")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("Hello!")]
    public async Task A_body_that_is_no_JSON_object_is_refused(string body)
    {
        using var team = cluster.Team("team-alpha-token");
        (await team.SendAsync(HttpMethod.Post, "/v1/chat/completions", body)).IsError(400, "invalid_json");
    }

    [Fact]
    public async Task Nothing_internal_answers_without_the_services_secret()
    {
        using var team = cluster.Team(cluster.Gateway.MasterKey);
        foreach (var path in new[] { "/internal/access/resolve", "/internal/access/changes", "/internal/budgets/ensure", "/internal/usage/totals" })
        {
            Assert.Equal(404, (await team.GetAsync(path)).Status);
        }

        foreach (var (service, path) in new[] { ("auth", "/internal/access/changes"), ("metering", "/internal/usage/totals"), ("auth", "/key/list") })
        {
            var address = (await cluster.Gateway.ProgramAsync(service)).Endpoints[0];
            using var http = new HttpClient();
            using var answer = await http.GetAsync(new Uri(address + path), HttpCompletionOption.ResponseHeadersRead);
            Assert.InRange((int)answer.StatusCode, 401, 404);
        }
    }

    private static async Task<string[]> ModelsAsync(TeamClient client)
    {
        var list = (await client.GetAsync("/v1/models")).Json;
        Assert.Equal("list", list.GetProperty("object").GetString());
        return [.. list.GetProperty("data").EnumerateArray().Select(static model => model.GetProperty("id").GetString()!).Order(StringComparer.Ordinal)];
    }
}
