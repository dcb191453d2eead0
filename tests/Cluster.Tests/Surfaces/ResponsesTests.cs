using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>OpenAI's Responses: byte for byte to a provider that has them, over the hub to any other, and what is stored for its owner alone.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class ResponsesTests(ScriptedCluster cluster)
{
    private const string Usage = """{"input_tokens":10,"input_tokens_details":{"cached_tokens":0},"output_tokens":25,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":35}""";

    private static int count;

    [Fact]
    public async Task A_request_and_its_answer_pass_byte_for_byte()
    {
        var model = ScriptedModels.NewModel();
        var answer = Response(NewId(), """, "field_of_tomorrow":{"x":[1,2.50]}""");
        cluster.Upstream.Script(model, Reply.Json(200, answer));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = $$"""{ "input":[{"role":"user","content":"Caf\u00e9?"},{"type":"item_of_tomorrow"}], "model" : {{JsonSerializer.Serialize(model)}}, "tools":[{"type":"web_search"}],"max_output_tokens":1000 }""";

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", body);

        Assert.Equal((200, answer), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(("/v1/responses", body, "Bearer sk-upstream"), (received.Path, received.Text, received.Headers["Authorization"]));
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((ScriptedModels.Cost, 10, 25, false), (row.Cost, row.Input, row.Output, row.Estimated));
        Assert.Equal(row.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(int.MaxValue, "")]
    [InlineData(11, "data: [DONE]\n\n")]
    public async Task A_stream_passes_byte_for_byte_and_its_usage_is_read(int part, string behind)
    {
        var model = ScriptedModels.NewModel();
        var stream = Stream(NewId(), "Every ", "budget.") + behind;
        cluster.Upstream.Script(model, part == int.MaxValue ? Reply.Events().Raw(stream) : Reply.Events().Raw(stream).InPartsOf(stream.Length - behind.Length - 40));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, ",\"stream\":true"));

        Assert.Equal(("text/event-stream", stream), (got.ContentType, got.Body));
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((ScriptedModels.Cost, 10, 25, false, true), (row.Cost, row.Input, row.Output, row.Estimated, row.Streamed));
    }

    [Fact]
    public async Task A_stream_that_breaks_ends_with_an_error_event_and_what_was_produced_is_charged()
    {
        var model = ScriptedModels.NewModel();
        var stream = Stream(NewId(), "Every ", "budget.");
        cluster.Upstream.Script(model, Reply.Events().Raw(stream[..stream.IndexOf("event: response.output_text.done", StringComparison.Ordinal)]).Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, ",\"stream\":true"));

        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"sequence_number\":3,\"code\":\"provider_error\"", got.Body, StringComparison.Ordinal);
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((Outcome.UpstreamCut, true), (row.Outcome, row.Estimated));
        Assert.InRange(row.Output, 1, 10);
    }

    [Fact]
    public async Task Near_the_end_of_the_money_the_answer_of_a_request_without_stream_is_assembled()
    {
        var model = ScriptedModels.NewModel();
        var id = NewId();
        cluster.Upstream.Script(model, Reply.Events().Raw(Stream(id, "Every ", "budget.")));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.02m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model));

        Assert.True(got.Status == 200, got.Body);
        Assert.True(Assert.Single(cluster.Upstream.RequestsOf(model)).Json.GetProperty("stream").GetBoolean());
        Assert.Equal(Response(id), got.Body);
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_without_the_route_is_asked_in_the_words_of_chat(bool streams)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, exchange => exchange.Request.Path.EndsWith("/responses", StringComparison.Ordinal)
            ? exchange.Send(Reply.Json(404, """{"detail":"Not Found"}"""))
            : ScriptedModels.OrdinaryAsync(exchange));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, streams ? ",\"stream\":true" : ""));

        Assert.True(got.Status == 200, got.Body);
        var response = streams ? JsonElement.Parse(got.Body.Split("data: ")[^1]).GetProperty("response") : got.Json;
        Assert.Equal("completed", response.GetProperty("status").GetString());
        Assert.Equal(string.Concat(ScriptedModels.Pieces), response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal(25, response.GetProperty("usage").GetProperty("output_tokens").GetInt64());
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);

        // Each edge learns it once: the third request of the same edge goes to chat at once.
        Assert.Contains(cluster.Upstream.RequestsOf(model), static request => request.Path == "/v1/chat/completions");
    }

    [Fact]
    public async Task Claude_answers_a_client_of_the_responses_tools_and_signed_thinking_included()
    {
        var model = ScriptedModels.NewModel("a");
        cluster.Upstream.Script(model, Reply.Json(200, """
            {"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"Let me look."},
             {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}}],"stop_reason":"tool_use","usage":{"input_tokens":10,"output_tokens":25}}
            """));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        const string tools = ""","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]""";

        var asked = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, tools));

        var output = JsonNode.Parse(asked.Body)!["output"]!.AsArray();
        Assert.Equal(["reasoning", "message", "function_call"], output.Select(static item => (string)item!["type"]!));
        Assert.Equal(("toolu_1", """{"a": 1}"""), ((string?)output[2]!["call_id"], (string?)output[2]!["arguments"]));

        // The client sends back what it got, and the result.
        var next = new JsonObject { ["model"] = model, ["input"] = new JsonArray([new JsonObject { ["role"] = "user", ["content"] = "?" }, .. output.Select(static item => item!.DeepClone())]) };
        next["input"]!.AsArray().Add((JsonNode)new JsonObject { ["type"] = "function_call_output", ["call_id"] = "toolu_1", ["output"] = "2" });
        Assert.Equal(200, (await team.PostAsync("/v1/responses", next)).Status);
        var turn = cluster.Upstream.RequestsOf(model)[1].Json.GetProperty("messages")[1].GetProperty("content");
        Assert.Equal("""{"type":"thinking","thinking":"Hm.","signature":"c2ln"}""", turn[0].GetRawText());
        Assert.Equal("tool_use", turn[2].GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_response_that_is_translated_repeats_its_metadata_and_names_the_betas_header()
    {
        var model = ScriptedModels.NewModel("a");
        cluster.Upstream.Script(model, Reply.Json(200, """{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text","text":"Hi."}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":25}}"""));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, ""","metadata":{"a":"b"}"""), default, ("OpenAI-Beta", "responses=v1"));

        Assert.Equal(("""{"a":"b"}""", "OpenAI-Beta"), (got.Json.GetProperty("metadata").GetRawText(), got.Header("x-gateway-dropped-params")));
    }

    [Fact]
    public async Task A_stored_response_is_its_owners_alone()
    {
        var model = ScriptedModels.NewModel();
        var id = NewId();
        cluster.Upstream.Script(model, Reply.Json(200, Response(id)));
        cluster.Upstream.Serve($"/v1/responses/{id}", exchange => exchange.Send(Reply.Json(200, exchange.Request.Method == "DELETE" ? """{"deleted":true}""" : Response(id))));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        var (others, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        using var colleague = cluster.Team(await cluster.Admin.NewKeyAsync(new { user_id = userId }));
        using var other = cluster.Team(others);
        await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model));

        Assert.Equal((200, Response(id)), await GetAsync(colleague));
        Assert.Equal(404, (await GetAsync(other)).Status);
        Assert.Equal(200, (await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, $",\"previous_response_id\":\"{id}\""))).Status);
        (await other.SendAsync(HttpMethod.Post, "/v1/responses", Request(model, $",\"previous_response_id\":\"{id}\""))).IsError(404, "response_not_found");
        Assert.Equal(2, cluster.Upstream.RequestsOf(model).Count);
        var elsewhere = await team.SendAsync(HttpMethod.Post, "/v1/responses", Request(ScriptedModels.NewModel("a"), $",\"previous_response_id\":\"{id}\""));
        elsewhere.IsError(400, "invalid_request");

        Assert.Equal(404, (await other.SendAsync(HttpMethod.Delete, $"/v1/responses/{id}", null)).Status);
        Assert.Equal(200, (await team.SendAsync(HttpMethod.Delete, $"/v1/responses/{id}", null)).Status);
        Assert.Equal(404, (await GetAsync(team)).Status);

        async Task<(int Status, string Body)> GetAsync(Calls.TeamClient client)
        {
            var got = await client.GetAsync($"/v1/responses/{id}");
            return (got.Status, got.Body);
        }
    }

    private static string NewId() => $"resp_{Environment.ProcessId}_{Interlocked.Increment(ref count)}";

    private static string Request(string model, string more = "") => $$"""{"model":{{JsonSerializer.Serialize(model)}},"input":"Hello!","max_output_tokens":1000{{more}}}""";

    private static string Response(string id, string more = "") =>
        $$$"""{"id":"{{{id}}}","object":"response","created_at":1,"status":"completed","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Every budget.","annotations":[]}]}],"usage":{{{Usage}}}{{{more}}}}""";

    private static string Stream(string id, params string[] pieces)
    {
        var text = new StringBuilder();
        var number = 0;
        Event("response.created", $$"""response":{"id":"{{id}}","status":"in_progress","output":[],"usage":null}""");
        foreach (var piece in pieces)
        {
            Event("response.output_text.delta", $"""item_id":"msg_1","output_index":0,"content_index":0,"delta":{JsonSerializer.Serialize(piece)}""");
        }

        Event("response.output_text.done", """item_id":"msg_1","output_index":0,"content_index":0,"text":"Every budget.""" + "\"");
        Event("response.event_of_tomorrow", """more":{"x":1}""");
        Event("response.completed", $"""response":{Response(id)}""");
        return text.ToString();

        void Event(string name, string rest) => text.Append(
            System.Globalization.CultureInfo.InvariantCulture, $"event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":{number++},\"{rest}}}\n\n");
    }
}
