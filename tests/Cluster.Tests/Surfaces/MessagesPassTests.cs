using System.Text;
using System.Text.Json;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>Anthropic's client and a model of Anthropic's: the bytes pass both ways, whatever stands in them, and are charged all the same (T-76).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class MessagesPassTests(ScriptedCluster cluster)
{
    private const string Usage = """{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":25,"new_count":1}""";

    [Fact]
    public async Task T76_A_request_and_its_answer_pass_byte_for_byte()
    {
        var model = ScriptedModels.NewModel("a");
        const string answer = """{ "id":"msg_1", "type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"Hm \u2603","signature":"c2ln"},{"type":"text","text":"Done.","citations":null}],"stop_reason":"end_turn","stop_sequence":null,"container":{"id":"x"},"usage":USAGE }""";
        var sent = answer.Replace("USAGE", Usage, StringComparison.Ordinal);
        cluster.Upstream.Script(model, Reply.Json(200, sent));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = Request(model, """
            "metadata": {"user_id":"someone"}, "a_field_of_tomorrow":{"x":[1,2.50]},
             "thinking":{"type":"enabled","budget_tokens":1024},
            """);

        var got = await team.SendAsync(
            HttpMethod.Post, "/v1/messages?beta=true", body, default, ("anthropic-beta", "one-2025-01-01,two-2026-02-02"), ("anthropic-version", "2023-06-01"), ("x-of-the-client", "no"));

        Assert.Equal((200, sent), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal("/v1/messages", received.Path);
        Assert.Equal(body, received.Text);
        Assert.Equal("one-2025-01-01,two-2026-02-02", received.Headers["anthropic-beta"]);
        Assert.Equal(("2023-06-01", "sk-upstream"), (received.Headers["anthropic-version"], received.Headers["x-api-key"]));
        Assert.DoesNotContain("x-of-the-client", received.Headers.Keys);
        Assert.DoesNotContain("Authorization", received.Headers.Keys);
        await Charged.AsReportedAsync(cluster, got, streamed: false);
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public async Task T76_A_stream_passes_byte_for_byte_and_its_usage_is_read(int part)
    {
        var model = ScriptedModels.NewModel("a");
        var stream = Stream("Every ", "budget.");
        cluster.Upstream.Script(model, (part == int.MaxValue ? Reply.Events().Raw(stream) : Reply.Events().Raw(stream).InPartsOf(part)));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model, "\"stream\":true,"));

        Assert.Equal(("text/event-stream", stream), (got.ContentType, got.Body));
        await Charged.AsReportedAsync(cluster, got, streamed: true);
    }

    [Fact]
    public async Task A_stream_that_breaks_ends_with_Anthropics_error_and_what_was_produced_is_charged()
    {
        var model = ScriptedModels.NewModel("a");
        var stream = Stream("Every ", "budget.");
        cluster.Upstream.Script(model, Reply.Events().Raw(stream[..stream.IndexOf("event: content_block_stop", StringComparison.Ordinal)]).Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model, "\"stream\":true,"));

        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"", got.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("message_stop", got.Body, StringComparison.Ordinal);
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((Outcome.UpstreamCut, 10, true), (row.Outcome, row.Input, row.Estimated));
        Assert.InRange(row.Output, 1, 10);
    }

    [Fact]
    public async Task An_error_in_mid_stream_passes_in_the_providers_words()
    {
        var model = ScriptedModels.NewModel("a");
        var stream = Stream("Every ", "budget.");
        var until = stream[..stream.IndexOf("event: content_block_stop", StringComparison.Ordinal)];
        const string overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
        cluster.Upstream.Script(model, Reply.Events().Raw(until).Raw(overloaded));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model, "\"stream\":true,"));

        Assert.Equal(until + overloaded, got.Body);
        Assert.Equal(Outcome.UpstreamCut, (await cluster.Books.RowOfAsync(got.RequestId)).Outcome);
    }

    [Theory]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: must be positive"},"request_id":"req_1"}""", true)]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","message":"key sk-ant-api03-AAAAAAAAAAAAAAAA is wrong"}}""", false)]
    public async Task An_error_about_the_request_passes_unless_it_tells_a_secret(string error, bool passes)
    {
        var model = ScriptedModels.NewModel("a");
        cluster.Upstream.Script(model, Reply.Json(400, error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model));

        Assert.Equal(400, got.Status);
        Assert.Equal(passes, got.Body == error);
        Assert.Equal("invalid_request_error", got.Json.GetProperty("error").GetProperty("type").GetString());
        Assert.DoesNotContain("sk-ant", got.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Near_the_end_of_the_money_the_answer_of_a_request_without_stream_is_assembled()
    {
        var model = ScriptedModels.NewModel("a");
        cluster.Upstream.Script(model, Reply.Events().Raw(Stream("Every ", "budget.")));
        // Enough for what it costs and not for the most that it could.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.02m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model));

        Assert.True(got.Status == 200, got.Body);
        Assert.True(Assert.Single(cluster.Upstream.RequestsOf(model)).Json.GetProperty("stream").GetBoolean());
        Assert.Equal("msg_1", got.Json.GetProperty("id").GetString());
        Assert.Equal("Every budget.", got.Json.GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal("end_turn", got.Json.GetProperty("stop_reason").GetString());
        Assert.Equal(25, got.Json.GetProperty("usage").GetProperty("output_tokens").GetInt64());
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData("s", "top_k,anthropic-beta")]
    [InlineData("o", "anthropic-beta")]
    [InlineData("a", null)]
    public async Task What_a_beta_asks_for_is_named_where_nobody_knows_it(string prefix, string? named)
    {
        var model = ScriptedModels.NewModel(prefix);
        cluster.Upstream.Script(model, prefix switch
        {
            "a" => Reply.Json(200, $$"""{"id":"msg_1","content":[],"usage":{{Usage}}}"""),
            "o" => Reply.Json(200, """{"message":{"role":"assistant","content":"x"},"done":true,"prompt_eval_count":1,"eval_count":1}"""),
            _ => OpenAiReplies.Whole(model, "x", 1, 1),
        });
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Request(model, "\"top_k\":4,"), default, ("anthropic-beta", "one-2025-01-01"), ("anthropic-version", "2023-06-01"));

        Assert.Equal((200, named), (got.Status, got.Header("x-gateway-dropped-params")));
    }

    [Fact]
    public async Task Tokens_are_counted_by_Anthropic_or_by_the_gateway()
    {
        var asked = ScriptedModels.NewModel("a");
        cluster.Upstream.Script(asked, Reply.Json(200, """{"input_tokens":4711}"""));
        var other = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var told = await team.SendAsync(HttpMethod.Post, "/v1/messages/count_tokens", Request(asked));
        var counted = await team.SendAsync(HttpMethod.Post, "/v1/messages/count_tokens", Request(other));

        Assert.Equal((200, """{"input_tokens":4711}"""), (told.Status, told.Body));
        Assert.Equal("/v1/messages/count_tokens", Assert.Single(cluster.Upstream.RequestsOf(asked)).Path);
        Assert.InRange(counted.Json.GetProperty("input_tokens").GetInt64(), 4, 12);
        Assert.Equal("true", Assert.Single(counted.Headers.GetValues("x-gateway-estimated")));
        Assert.Empty(cluster.Upstream.RequestsOf(other));
    }

    private static string Request(string model, string more = "") =>
        $$"""{ {{more}} "model": {{JsonSerializer.Serialize(model)}}, "max_tokens": 1000,"messages":[{"role":"user","content":"Caf\u00e9?"}] }""";

    private static string Stream(params IEnumerable<string> pieces)
    {
        var text = new StringBuilder();
        Event("message_start", """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}""");
        Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""");
        Event("ping", """{"type": "ping"}""");
        foreach (var piece in pieces)
        {
            Event("content_block_delta", $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{{{JsonSerializer.Serialize(piece)}}} } }""");
        }

        Event("content_block_stop", """{"type":"content_block_stop","index":0}""");
        Event("event_of_tomorrow", """{"type":"event_of_tomorrow","more":{"x":1}}""");
        Event("message_delta", """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":25}}""");
        Event("message_stop", """{"type":"message_stop"}""");
        return text.ToString();

        void Event(string name, string data) => text.Append("event: ").Append(name).Append('\n').Append("data: ").Append(data).Append("\n\n");
    }
}
