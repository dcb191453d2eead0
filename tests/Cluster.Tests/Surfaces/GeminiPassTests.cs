using System.Text.Json;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>Gemini's client and a model of Gemini's: the bytes pass both ways, whatever stands in them, and are charged all the same.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class GeminiPassTests(ScriptedCluster cluster)
{
    private const string Usage = "\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":20,\"thoughtsTokenCount\":5,\"totalTokenCount\":35,\"newCount\":1}";

    private static readonly string[] Pieces =
    [
        """{"candidates":[{"content":{"parts":[{"text":"Every "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"g"}""",
        """{"candidates": [{"content": {"parts": [{"text": "budget."}],"role": "model"},"index": 0}],"ofTomorrow":[1,2.50]}""",
        """{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP","index":0}],""" + Usage + " }",
    ];

    private static string Events => string.Concat(Pieces.Select(static piece => $"data: {piece}\r\n\r\n"));

    [Theory]
    [InlineData("/v1beta", "x-goog-api-key")]
    [InlineData("/v1", "Authorization")]
    public async Task T76_A_request_and_its_answer_pass_byte_for_byte(string prefix, string header)
    {
        var model = ScriptedModels.NewModel("g");
        const string sent = """{ "candidates":[{"content":{"parts":[{"text":"Caf\u00e9"}],"role":"model"},"finishReason":"OF_TOMORROW","groundingMetadata":{}}],""" + Usage + " }";
        cluster.Upstream.Script(model, Reply.Json(200, sent));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team((string?)null);
        var body = Request("\"safetySettings\":[],\"tools\":[{\"googleSearch\":{}}], \"a_field_of_tomorrow\":{\"x\":[1,2.50]},");

        var got = await team.SendAsync(HttpMethod.Post, $"{prefix}/models/{model}:generateContent", body, headers: (header, header == "Authorization" ? $"Bearer {key.Key}" : key.Key));

        Assert.Equal((200, sent), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(($"/v1beta/models/{model}:generateContent", "", body), (received.Path, received.Query, received.Text));
        Assert.Equal("sk-upstream", received.Headers["x-goog-api-key"]);
        Assert.DoesNotContain("Authorization", received.Headers.Keys);
        await AsReportedAsync(got, streamed: false);
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public async Task T76_A_stream_passes_byte_for_byte_and_its_usage_is_read(int part)
    {
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, part == int.MaxValue ? Reply.Events().Raw(Events) : Reply.Events().Raw(Events).InPartsOf(part));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:streamGenerateContent?alt=sse", Request());

        Assert.Equal(("text/event-stream", Events), (got.ContentType, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(($"/v1beta/models/{model}:streamGenerateContent", "?alt=sse", Request()), (received.Path, received.Query, received.Text));
        await AsReportedAsync(got, streamed: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?alt=json")]
    public async Task Without_events_a_stream_is_one_array_of_the_same_pieces(string query)
    {
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Events().Raw(Events).InPartsOf(7));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:streamGenerateContent{query}", Request());

        Assert.Equal(("application/json", $"[{string.Join(",\n", Pieces)}]"), (got.ContentType, got.Body));
        await AsReportedAsync(got, streamed: true);
    }

    [Theory]
    [InlineData("?alt=sse")]
    [InlineData("")]
    public async Task A_stream_that_breaks_ends_with_Googles_error_and_what_was_produced_is_charged(string query)
    {
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Events().Raw($"data: {Pieces[0]}\n\ndata: {Pieces[1]}\n\n").Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:streamGenerateContent{query}", Request());

        var pieces = query.Length == 0 ? [.. JsonElement.Parse(got.Body).EnumerateArray()] : got.Body.TrimEnd().Split("\n\n").Select(static piece => JsonElement.Parse(piece["data: ".Length..])).ToArray();
        Assert.Equal(Pieces[..2], pieces[..2].Select(static piece => piece.GetRawText()));
        var error = Assert.Single(pieces[2..]).GetProperty("error");
        Assert.Equal((502, "UNAVAILABLE"), (error.GetProperty("code").GetInt32(), error.GetProperty("status").GetString()));
        await Charged.AsProducedAsync(cluster, got);
    }

    [Fact]
    public async Task An_error_in_mid_stream_passes_in_the_providers_words()
    {
        const string error = """{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE","more":1}}""";
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Events().Raw($"data: {Pieces[0]}\n\ndata: {error}\n\n"));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:streamGenerateContent", Request());

        Assert.Equal($"[{Pieces[0]},\n{error}]", got.Body);
        Assert.Equal(Outcome.UpstreamCut, (await cluster.Books.RowOfAsync(got.RequestId)).Outcome);
    }

    [Fact]
    public async Task An_error_about_the_request_passes()
    {
        const string error = """{"error":{"code":400,"message":"Invalid value at 'contents'","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest"}]}}""";
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Json(400, error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:generateContent", Request());

        Assert.Equal((400, error), (got.Status, got.Body));
    }

    [Fact]
    public async Task Near_the_end_of_the_money_the_answer_of_a_request_without_stream_is_assembled()
    {
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Events().Raw(Events));
        // Enough for what it costs and not for the most that it could.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.02m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:generateContent", Request());

        Assert.True(got.Status == 200, got.Body);
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(($"/v1beta/models/{model}:streamGenerateContent", "?alt=sse", Request()), (received.Path, received.Query, received.Text));
        var candidate = Assert.Single(got.Json.GetProperty("candidates").EnumerateArray());
        Assert.Equal("Every budget.", candidate.GetProperty("content").GetProperty("parts")[0].GetProperty("text").GetString());
        Assert.Equal(("STOP", 35), (candidate.GetProperty("finishReason").GetString(), got.Json.GetProperty("usageMetadata").GetProperty("totalTokenCount").GetInt32()));
        Assert.Equal(ScriptedModels.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [InlineData("embedContent", "\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}}]},\"of_tomorrow\":1", """{"embedding":{"values":[0.10,-2e-3]},"usageMetadata":{"promptTokenCount":10}}""", false)]
    [InlineData("batchEmbedContents", "\"requests\":[{\"model\":\"models/MODEL\",\"content\":{\"parts\":[{\"text\":\"a\"}]}},{\"content\":{\"parts\":[{\"text\":\"b\"}]}}]", """{"embeddings":[{"values":[0.10,-2e-3]},{"values":[1]}]}""", true)]
    public async Task Embeddings_pass_too_and_what_is_not_counted_is_estimated(string verb, string asked, string answer, bool estimated)
    {
        var model = ScriptedModels.NewModel("g");
        cluster.Upstream.Script(model, Reply.Json(200, answer));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = $"{{{asked.Replace("MODEL", model, StringComparison.Ordinal)}}}";

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:{verb}", body);

        Assert.Equal((200, answer), (got.Status, got.Body));
        var received = Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal(($"/v1beta/models/{model}:{verb}", body), (received.Path, received.Text));
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal(estimated, row.Estimated);
        Assert.Equal(row.Input * ScriptedModels.InputPrice, row.Cost);
        Assert.True(estimated ? row.Input > 0 : row.Input == 10);
    }

    [Fact]
    public async Task Tokens_are_counted_by_who_knows_and_cost_nothing()
    {
        var model = ScriptedModels.NewModel("g");
        const string answer = """{"totalTokens":31,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}""";
        cluster.Upstream.Script(model, Reply.Json(200, answer));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        const string whole = "{\"generateContentRequest\":{\"model\":\"models/MODEL\",\"contents\":[{\"parts\":[{\"text\":\"one two three\"}]}]}}";

        var told = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:countTokens", whole.Replace("MODEL", model, StringComparison.Ordinal));
        var counted = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{ScriptedModels.NewModel()}:countTokens", whole);

        Assert.Equal((200, answer), (told.Status, told.Body));
        Assert.Equal(whole.Replace("MODEL", model, StringComparison.Ordinal), Assert.Single(cluster.Upstream.RequestsOf(model)).Text);
        Assert.Equal((200, "{\"totalTokens\":9}"), (counted.Status, counted.Body));
        Assert.Equal("true", Assert.Single(counted.Headers.GetValues("x-gateway-estimated")));
        Assert.False(told.Headers.Contains("x-gateway-estimated"));
        Assert.Equal(0, (await cluster.Books.AtRestAsync(key.Id, 0, $"user/{userId}")).Window?.Spent ?? 0);
    }

    private async Task AsReportedAsync(Answer got, bool streamed)
    {
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        // Thoughts are a class of their own, at the price of what is written.
        Assert.Equal((ScriptedModels.Cost, ScriptedModels.InputTokens, ScriptedModels.OutputTokens - 5, false, streamed), (row.Cost, row.Input, row.Output, row.Estimated, row.Streamed));
    }

    private static string Request(string more = "") =>
        $$"""{ {{more}} "contents":[{"role":"user","parts":[{"text":"Caf\u00e9?"}]}], "generationConfig":{"maxOutputTokens":1000} }""";
}
