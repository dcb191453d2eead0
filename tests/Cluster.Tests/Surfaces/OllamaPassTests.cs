using System.Text.Json;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>Ollama's client and a model of Ollama's: the bytes pass both ways, whatever stands in them, and are charged all the same.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class OllamaPassTests(ScriptedCluster cluster)
{
    private const string Counts = "\"done\":true,\"done_reason\":\"stop\",\"new_count\":1,\"prompt_eval_count\":10,\"eval_count\":25";

    private static readonly string[] Lines =
    [
        """{"model":"llama","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Every "},"done":false}""",
        """{"model":"llama","message":{"role":"assistant","content":"budget."},"of_tomorrow":[1,2.50],"done":false}""",
        """{"model":"llama","message":{"role":"assistant","content":""},""" + Counts + " }",
    ];

    [Theory]
    [InlineData("/api/chat", "\"messages\":[{\"role\":\"user\",\"content\":\"Caf\\u00e9?\"}]", "\"message\":{\"role\":\"assistant\",\"content\":\"Done.\",\"thinking\":\"Hm \\u2603\"}")]
    [InlineData("/api/generate", "\"prompt\":\"Caf\\u00e9?\",\"raw\":true,\"context\":[1,2]", "\"response\":\"Done.\",\"context\":[1,2,3]")]
    public async Task T76_A_request_and_its_answer_pass_byte_for_byte(string path, string asked, string said)
    {
        var model = ScriptedModels.NewModel("o");
        var sent = $"{{ \"model\":\"llama\",{said},{Counts} }}";
        cluster.Upstream.Script(model, Reply.Json(200, sent));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = $$""" { "stream" : false, "model": "{{model}}", {{asked}},"options":{"num_predict":100,"num_ctx":4096},"a_field_of_tomorrow":{"x":[1,2.50]} }""";

        var got = await team.SendAsync(HttpMethod.Post, path, body);

        Assert.Equal((200, sent), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal((path, body), (received.Path, received.Text));
        Assert.Equal("Bearer sk-upstream", received.Headers["Authorization"]);
        await Charged.AsReportedAsync(cluster, got, streamed: false);
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public async Task T76_A_stream_passes_byte_for_byte_and_its_counts_are_read(int part)
    {
        var model = ScriptedModels.NewModel("o");
        var stream = string.Join('\n', Lines) + "\n";
        var reply = Reply.Stream("application/x-ndjson").Raw(stream);
        cluster.Upstream.Script(model, part == int.MaxValue ? reply : reply.InPartsOf(part));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        // Nobody says that it is to stream.
        var got = await team.SendAsync(HttpMethod.Post, "/api/chat", Request(model));

        Assert.Equal(("application/x-ndjson", stream), (got.ContentType, got.Body));
        await Charged.AsReportedAsync(cluster, got, streamed: true);
    }

    [Fact]
    public async Task A_stream_that_breaks_ends_with_Ollamas_error_and_what_was_produced_is_charged()
    {
        var model = ScriptedModels.NewModel("o");
        cluster.Upstream.Script(model, Reply.Stream("application/x-ndjson").Raw(Lines[0] + "\n" + Lines[1] + "\n").Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/api/chat", Request(model));

        var lines = got.Body.TrimEnd('\n').Split('\n');
        Assert.Equal(Lines[..2], lines[..2]);
        Assert.Equal("provider_error", JsonElement.Parse(Assert.Single(lines[2..])).GetProperty("code").GetString());
        await Charged.AsProducedAsync(cluster, got);
    }

    [Fact]
    public async Task An_error_in_mid_stream_passes_in_the_providers_words()
    {
        var model = ScriptedModels.NewModel("o");
        var stream = Lines[0] + "\n{\"error\":\"llama runner process has terminated\",\"more\":1}\n";
        cluster.Upstream.Script(model, Reply.Stream("application/x-ndjson").Raw(stream));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/api/chat", Request(model));

        Assert.Equal(stream, got.Body);
        Assert.Equal(Outcome.UpstreamCut, (await cluster.Books.RowOfAsync(got.RequestId)).Outcome);
    }

    [Fact]
    public async Task An_error_about_the_request_passes()
    {
        const string error = """{"error":"invalid options: num_predict"}""";
        var model = ScriptedModels.NewModel("o");
        cluster.Upstream.Script(model, Reply.Json(400, error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/api/chat", Request(model));

        Assert.Equal((400, error), (got.Status, got.Body));
    }

    [Fact]
    public async Task Near_the_end_of_the_money_the_answer_of_a_request_without_stream_is_assembled()
    {
        var model = ScriptedModels.NewModel("o");
        cluster.Upstream.Script(model, Reply.Stream("application/x-ndjson").Raw(string.Join('\n', Lines) + "\n"));
        // Enough for what it costs and not for the most that it could.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.02m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/api/chat", Request(model, "\"stream\":false,"));

        Assert.True(got.Status == 200, got.Body);
        Assert.True(Assert.Single(cluster.Upstream.RequestsOf(model)).Json.GetProperty("stream").GetBoolean());
        Assert.Equal("Every budget.", got.Json.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal((true, 25), (got.Json.GetProperty("done").GetBoolean(), got.Json.GetProperty("eval_count").GetInt32()));
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData("/api/embed", "\"input\":[\"a\",\"b\"],\"truncate\":false", """{"model":"llama","embeddings":[[0.10,-2e-3],[1,2]],"prompt_eval_count":10}""", false)]
    [InlineData("/api/embeddings", "\"prompt\":\"a\"", """{"embedding":[0.10,-2e-3]}""", true)]
    public async Task Embeddings_pass_too_and_what_is_not_counted_is_estimated(string path, string asked, string answer, bool estimated)
    {
        var model = ScriptedModels.NewModel("o");
        cluster.Upstream.Script(model, Reply.Json(200, answer));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = $$"""{"model":"{{model}}",{{asked}},"keep_alive":"5m"}""";

        var got = await team.SendAsync(HttpMethod.Post, path, body);

        Assert.Equal((200, answer), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal((path, body), (received.Path, received.Text));
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal(estimated, row.Estimated);
        Assert.Equal(row.Input * ScriptedModels.InputPrice, row.Cost);
        Assert.True(estimated ? row.Input > 0 : row.Input == 10);
    }

    [Fact]
    public async Task A_name_in_capitals_cannot_call_what_is_not_granted()
    {
        var model = ScriptedModels.NewModel("o");
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        foreach (var path in (string[])["/api/chat", "/api/generate", "/api/embed", "/api/embeddings"])
        {
            var got = await team.SendAsync(HttpMethod.Post, path, Request(model, "\"Model\":\"dear\","));
            Assert.Equal((400, "invalid_request"), (got.Status, got.Json.GetProperty("code").GetString()));
        }

        Assert.Empty(cluster.Upstream.RequestsOf(model));
    }

    private static string Request(string model, string more = "") =>
        $$"""{ {{more}} "model": "{{model}}", "messages":[{"role":"user","content":"Caf\u00e9?"}], "options":{"num_predict":1000} }""";
}
