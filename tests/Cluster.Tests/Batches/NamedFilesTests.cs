using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Failures;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Batches;

/// <summary>Files that went through <c>/v1/files</c>, named in chats and responses: providers know them by their own ids.</summary>
[Collection(BatchesCollection.Name)]
public sealed class NamedFilesTests(BatchesCluster cluster)
{
    private const string Done = """{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Read."},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}""";

    public static TheoryData<string, string> Requests() => new()
    {
        { "/v1/chat/completions", """{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"Read it."},{"type":"file","file":{"file_id":"FILE"}}]}]STREAM}""" },
        { "/v1/responses", """{"model":"gpt-4o","input":[{"role":"user","content":[{"type":"input_file","file_id":"FILE"},{"type":"input_image","file_id":"FILE","detail":"auto"}]}]STREAM}""" },
        { "/v1/responses", """{"input":"Read it.","tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["FILE"]}}],"model":"gpt-4o"STREAM}""" },
        // The account is the same, and so the file is there for its other models.
        { "/v1/responses", """{"model":"gpt-4o-mini","input":[{"role":"user","content":[{"type":"input_file","file_id":"FILE"}]}]STREAM}""" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_file_that_a_request_names_is_read_at_its_provider_and_nobody_elses_is(string path, string body)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        var (others, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        // At one edge, which knows the file when the other team asks.
        using var team = await cluster.AtEdgeAsync(key, "edge-1");
        using var other = await cluster.AtEdgeAsync(others, "edge-1");
        var id = await UploadAsync(key, "gpt-4o");

        foreach (var stream in (string[])["", ""","stream":true"""])
        {
            Task<Answer> Ask(TeamClient who, string file) => who.SendAsync(HttpMethod.Post, path, body.Replace("FILE", file, StringComparison.Ordinal).Replace("STREAM", stream, StringComparison.Ordinal));
            (await Ask(team, id)).IsOk();

            // The provider refuses what it does not know: that it answered above shows that it was asked for its own file.
            var (unknown, foreign, providers) = (await Ask(team, "file-gw0123456789abcdef0123456789abcdef"), await Ask(other, id), await Ask(team, "file-0123456789abcdef0123456789abcdef"));
            unknown.IsError(404, "file_not_found");
            Assert.Equal(unknown.Body.Replace("file-gw0123456789abcdef0123456789abcdef", id, StringComparison.Ordinal), foreign.Body);
            Assert.Equal((404, "No such File object: file-0123456789abcdef0123456789abcdef"), (providers.Status, providers.Message));
        }
    }

    [Fact]
    public async Task A_request_goes_to_the_deployment_that_has_its_file_and_nothing_else_of_it_is_changed()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(exchange => exchange.Send(Reply.Json(200, exchange.Request.Path.EndsWith("/files", StringComparison.Ordinal) ? FileOf("file-\\u00fcber") : Done)));
        var id = await UploadAsync(key, "pair");
        var holder = cluster.Upstream.Requests.Last(static request => request.Path.EndsWith("/files", StringComparison.Ordinal)).Path[..5];
        string Body(string model, string file) => $$$"""
            { "messages" : [ {"role":"user","content":[{"type":"file","file":{ "file_id" : "{{{file}}}" }},{"type":"text","text":"{{{id}}} \u00fc"}]}], "metadata":{"file_id":"{{{id}}}"}, "x":1.50, "model":"{{{model}}}"}
            """;

        for (var times = 0; times < 8; times++)
        {
            (await team.SendAsync(HttpMethod.Post, "/v1/chat/completions", Body("pair", id))).IsOk();
        }

        var asked = cluster.Upstream.Requests.Where(request => request.Text.Contains(id, StringComparison.Ordinal)).ToList();
        Assert.Equal(8, asked.Count);
        Assert.All(asked, request => Assert.Equal((holder + "v1/chat/completions", Body("gpt-4o", "file-über")), (request.Path, request.Text.Replace("\\u00FC", "ü", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_server_that_has_no_responses_gets_its_own_id_in_the_words_of_chat()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(static exchange => exchange.Send(exchange.Request.Path switch
        {
            "/busy/v1/files" => Reply.Json(200, FileOf("file-of-chat")),
            "/busy/v1/chat/completions" => Reply.Json(200, Done),
            _ => Reply.Json(404, """{"detail":"Not Found"}"""),
        }));
        var id = await UploadAsync(key, "busy");

        (await team.SendAsync(HttpMethod.Post, "/v1/responses", $$$"""{"model":"busy","input":[{"role":"user","content":[{"type":"input_file","file_id":"{{{id}}}"}]}]}""")).IsOk();

        var asked = cluster.Upstream.Requests.Last(static request => request.Path == "/busy/v1/chat/completions");
        Assert.Equal("file-of-chat", asked.Json.GetProperty("messages")[0].GetProperty("content")[0].GetProperty("file").GetProperty("file_id").GetString());
    }

    [Fact]
    public async Task Files_that_are_not_where_the_model_is_are_a_clear_error()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(static exchange => exchange.Send(Reply.Json(200, FileOf($"file-{Guid.NewGuid():N}"))));
        var (here, there) = (await UploadAsync(key, "gpt-4o"), await UploadAsync(key, "busy"));
        Task<Answer> Ask(string model, params string[] files) => team.PostAsync("/v1/chat/completions", Chat(model, files));

        await IsToldAsync(Ask("claude-2", here), "operation_unsupported", "No provider of the model 'claude-2' takes files");
        await IsToldAsync(Ask("gpt-4o", here, there), "invalid_request", "at different providers");
        await IsToldAsync(Ask("gpt-4o", there), "invalid_request", "in the field model");
    }

    [Fact]
    public async Task What_a_provider_says_of_a_file_that_was_named_has_the_gateways_id_and_no_fallback_is_asked()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(static exchange => exchange.Send(exchange.Request.Path.EndsWith("/files", StringComparison.Ordinal) ? Reply.Json(200, FileOf("file-theirs"))
            : exchange.Request.Text.Contains("fail", StringComparison.Ordinal) ? Reply.Json(500, """{"error":{"message":"It failed."}}""")
            : Reply.Json(400, """{"error":{"message":"file-theirs is no picture.","type":"invalid_request_error","param":null,"code":null}}""")));
        var id = await UploadAsync(key, "pair");

        foreach (var path in (string[])["/v1/chat/completions", "/v1/responses"])
        {
            var body = Chat("pair", id);
            body["input"] = body["messages"]!.DeepClone();
            var got = await team.PostAsync(path, body);
            Assert.Equal((400, $"{id} is no picture."), (got.Status, got.Message));
        }

        var failing = Chat("pair", id);
        failing["user"] = "fail";
        (await team.PostAsync("/v1/chat/completions", failing)).IsError(502, "provider_error");
    }

    [Fact]
    public async Task While_Ledger_is_away_an_edge_knows_the_files_that_it_has_seen()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        var (seen, unseen) = (await UploadAsync(key, "gpt-4o"), await UploadAsync(key, "gpt-4o"));
        using var team = await cluster.AtEdgeAsync(key, "edge-1");
        (await team.PostAsync("/v1/chat/completions", Chat("gpt-4o", seen))).IsOk();
        await using (await cluster.Gateway.FreezeAsync("ledger"))
        {
            (await team.PostAsync("/v1/chat/completions", Chat("gpt-4o", unseen))).IsError(503, "temporarily_unavailable");
            (await team.PostAsync("/v1/chat/completions", Chat("gpt-4o", seen))).IsOk();
        }

        await cluster.Gateway.IsWholeAsync();
    }

    private static async Task IsToldAsync(Task<Answer> asked, string code, string word)
    {
        var answer = await asked;
        answer.IsError(400, code);
        Assert.Contains(word, answer.Message, StringComparison.Ordinal);
    }

    private static string FileOf(string id) => $$"""{"id":"{{id}}","object":"file","bytes":1,"created_at":1,"filename":"x","purpose":"user_data"}""";

    private static JsonObject Chat(string model, params string[] files) => new()
    {
        ["model"] = model, ["max_tokens"] = 20,
        ["messages"] = new JsonArray(new JsonObject
        {
            ["role"] = "user", ["content"] = new JsonArray([.. files.Select(static file => new JsonObject { ["type"] = "file", ["file"] = new JsonObject { ["file_id"] = file } })]),
        }),
    };

    private async Task<string> UploadAsync(MadeKey key, string model)
    {
        var (status, text) = await cluster.SendFileAsync(key, "user_data", "A story.", model);
        Assert.True(status == 200, text);
        return (string)JsonNode.Parse(text)!["id"]!;
    }
}
