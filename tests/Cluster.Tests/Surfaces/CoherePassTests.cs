using System.Text;
using System.Text.Json;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>Cohere's client and a model of Cohere's: the bytes pass both ways, whatever stands in them, and are charged all the same.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class CoherePassTests(ScriptedCluster cluster)
{
    private const string Usage = """{"billed_units":{"input_tokens":10,"output_tokens":25},"tokens":{"input_tokens":80,"output_tokens":27},"new_count":1}""";

    [Fact]
    public async Task T76_A_request_and_its_answer_pass_byte_for_byte()
    {
        var model = ScriptedModels.NewModel("c");
        const string sent = """{ "id":"c-1","finish_reason":"STOP_SEQUENCE","message":{"role":"assistant","content":[{"type":"text","text":"Caf\u00e9"}],"citations":[{"start":0,"end":1}]},"usage":""" + Usage + " }";
        cluster.Upstream.Script(model, Reply.Json(200, sent));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = Request(model, "\"documents\":[\"x\"],\"safety_mode\":\"OFF\", \"a_field_of_tomorrow\":{\"x\":[1,2.50]},");

        var got = await team.SendAsync(HttpMethod.Post, "/v2/chat", body);

        Assert.Equal((200, sent), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(("/v2/chat", body), (received.Path, received.Text));
        Assert.Equal("Bearer sk-upstream", received.Headers["Authorization"]);
        await Charged.AsReportedAsync(cluster, got, streamed: false);
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public async Task T76_A_stream_passes_byte_for_byte_and_its_usage_is_read(int part)
    {
        var model = ScriptedModels.NewModel("c");
        var stream = Stream() + "data: [DONE]\n\n";
        cluster.Upstream.Script(model, part == int.MaxValue ? Reply.Events().Raw(stream) : Reply.Events().Raw(stream).InPartsOf(part));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v2/chat", Request(model, "\"stream\":true,"));

        // What comes behind the protocol's own end is not waited for.
        Assert.Equal("text/event-stream", got.ContentType);
        Assert.Contains(got.Body, (string[])[stream, Stream()]);
        await Charged.AsReportedAsync(cluster, got, streamed: true);
    }

    [Fact]
    public async Task A_stream_that_breaks_ends_with_Coheres_error_and_what_was_produced_is_charged()
    {
        var model = ScriptedModels.NewModel("c");
        var until = Stream()[..Stream().IndexOf("event: content-end", StringComparison.Ordinal)];
        cluster.Upstream.Script(model, Reply.Events().Raw(until).Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v2/chat", Request(model, "\"stream\":true,"));

        Assert.StartsWith(until + "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"", got.Body, StringComparison.Ordinal);
        await Charged.AsProducedAsync(cluster, got);
    }

    [Fact]
    public async Task An_error_about_the_request_passes()
    {
        const string error = """{"id":"e","message":"invalid request: temperature must be between 0 and 1 inclusive."}""";
        var model = ScriptedModels.NewModel("c");
        cluster.Upstream.Script(model, Reply.Json(422, error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v2/chat", Request(model));

        Assert.Equal((422, error), (got.Status, got.Body));
    }

    [Fact]
    public async Task Near_the_end_of_the_money_the_answer_of_a_request_without_stream_is_assembled()
    {
        var model = ScriptedModels.NewModel("c");
        cluster.Upstream.Script(model, Reply.Events().Raw(Stream()));
        // Enough for what it costs and not for the most that it could.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.02m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v2/chat", Request(model));

        Assert.True(got.Status == 200, got.Body);
        Assert.True(Assert.Single(cluster.Upstream.RequestsOf(model)).Json.GetProperty("stream").GetBoolean());
        Assert.Equal(("c-1", "COMPLETE"), (got.Json.GetProperty("id").GetString(), got.Json.GetProperty("finish_reason").GetString()));
        Assert.Equal("Every budget.", got.Json.GetProperty("message").GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal(25, got.Json.GetProperty("usage").GetProperty("billed_units").GetProperty("output_tokens").GetInt64());
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Fact]
    public async Task Embeddings_pass_too_with_every_type_of_vectors()
    {
        var model = ScriptedModels.NewModel("c");
        const string answer = """{"id":"c-2","embeddings":{"int8":[[1,-2]],"ubinary":[[3]]},"images":[{"width":1}],"meta":{"billed_units":{"input_tokens":4,"image_tokens":6}} }""";
        cluster.Upstream.Script(model, Reply.Json(200, answer));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = $$"""{"model":"{{model}}","inputs":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="} }]}],"embedding_types":["int8","ubinary"],"input_type":"image"}""";

        var got = await team.SendAsync(HttpMethod.Post, "/v2/embed", body);

        Assert.Equal((200, answer), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(("/v2/embed", body), (received.Path, received.Text));
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((10 * ScriptedModels.InputPrice, 10, false), (row.Cost, row.Input, row.Estimated));
    }

    [Theory]
    [InlineData("\"texts\":[\"a\"],\"embedding_types\":[\"float\",\"int8\"]", "embedding_types")]
    [InlineData("\"images\":[\"data:image/png;base64,AA==\"]", "images")]
    [InlineData("\"inputs\":[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]}]", "inputs")]
    [InlineData("\"inputs\":[{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]", "inputs")]
    [InlineData("\"texts\":[]", "texts")]
    public async Task What_only_Cohere_embeds_is_refused_elsewhere(string asked, string param)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, "/v2/embed", $$"""{"model":"{{model}}","input_type":"search_query",{{asked}}}""");

        Assert.Equal(400, got.Status);
        Assert.Equal(param, got.Json.GetProperty("error").GetProperty("param").GetString());
        Assert.Equal(got.Json.GetProperty("error").GetProperty("message").GetString(), got.Json.GetProperty("message").GetString());
        Assert.Empty(cluster.Upstream.RequestsOf(model));
    }

    private static string Request(string model, string more = "") =>
        $$"""{ {{more}} "model": {{JsonSerializer.Serialize(model)}}, "max_tokens": 1000,"messages":[{"role":"user","content":"Caf\u00e9?"}] }""";

    private static string Stream()
    {
        var text = new StringBuilder();
        Event("message-start", """{"id":"c-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}""");
        Event("content-start", """{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}""");
        Event("content-delta", """{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Every "}}} }""");
        Event("content-delta", """{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"budget."}}}}""");
        Event("content-end", """{"type":"content-end","index":0}""");
        Event("event-of-tomorrow", """{"type":"event-of-tomorrow","more":{"x":1}}""");
        Event("message-end", """{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":""" + Usage + "}}");
        return text.ToString();

        void Event(string name, string data) => text.Append("event: ").Append(name).Append('\n').Append("data: ").Append(data).Append("\n\n");
    }
}
