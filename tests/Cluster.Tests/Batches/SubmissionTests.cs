using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Failures;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Batches;

/// <summary>Submissions that end badly: what a provider took is charged, what it did not take is not, and nothing is sent twice (T-16).</summary>
[Collection(BatchesCollection.Name)]
public sealed class SubmissionTests(BatchesCluster cluster)
{
    private const string Answered = """{"custom_id":"line-0","response":{"status_code":200,"body":{"usage":{"prompt_tokens":20,"completion_tokens":10}}},"error":null}""";

    [Fact]
    public async Task T16_a_batch_whose_submission_was_not_answered_is_found_at_its_provider_and_charged_what_it_cost()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        string? sent = null;
        cluster.Upstream.OnRequest(async exchange =>
        {
            switch (exchange.Request.Method, exchange.Request.Path)
            {
                case ("POST", "/takes/v1/batches"):
                    // Taken, and then nothing is heard of it.
                    Volatile.Write(ref sent, exchange.Request.Text);
                    await exchange.Send(Reply.Stream("application/json").Hang());
                    break;
                case ("GET", "/takes/v1/batches"):
                    await exchange.Send(Reply.Json(200, $$"""{"object":"list","data":[{{(Volatile.Read(ref sent) is { } taken ? BatchOf(taken) : "")}}],"has_more":false}"""));
                    break;
                case ("GET", "/takes/v1/batches/batch_upstream"):
                    await exchange.Send(Reply.Json(200, BatchOf(sent!)));
                    break;
                case ("GET", "/takes/v1/files/file-out/content"):
                    await exchange.Send(Reply.Text(200, Answered));
                    break;
                default:
                    await FilesAsync(exchange);
                    break;
            }
        });
        var file = await UploadAsync(key, "silent-but-takes");

        var got = await team.PostAsync("/v1/batches", Submission(file));

        got.IsError(504, "provider_timeout");
        Assert.Equal("false", got.Header("x-should-retry"));
        Assert.Contains("batch_", got.Message, StringComparison.Ordinal);
        var books = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}");
        Assert.Equal(((20 * 1_250) + (10 * 5_000), books.Usage.Cost), (books.Window!.Spent, books.Journal.Cost));
        var batch = Assert.Single((await team.GetAsync("/v1/batches")).Json.GetProperty("data").EnumerateArray());
        Assert.Contains(batch.GetProperty("id").GetString()!, got.Message, StringComparison.Ordinal);
        Assert.Equal(("completed", file), (batch.GetProperty("status").GetString(), batch.GetProperty("input_file_id").GetString()));
        // What the gateway adds for itself is not shown, and a caller's own is.
        Assert.Equal("""{"mine":"yes"}""", batch.GetProperty("metadata").GetRawText());
        Assert.Equal(1, Submitted("/takes"));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("failed")]
    public async Task T16_a_batch_whose_submission_was_not_answered_and_that_its_provider_does_not_have_costs_nothing(string how)
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(async exchange =>
        {
            if (exchange.Request is not { Method: "POST", Path: "/silent/v1/batches" })
            {
                await (exchange.Request.Path.EndsWith("/batches", StringComparison.Ordinal) ? exchange.Send(Reply.Json(200, """{"object":"list","data":[],"has_more":false}""")) : FilesAsync(exchange));
            }
            else if (how == "cut")
            {
                exchange.Cut();
            }
            else
            {
                await exchange.Send(Reply.Json(500, """{"error":{"message":"The server had an error.","type":"server_error"}}"""));
            }
        });
        var file = await UploadAsync(key, "silent");
        var before = Submitted("/silent");

        (await team.PostAsync("/v1/batches", Submission(file))).IsError(502, "provider_error");

        // Charged while nobody knows.
        Assert.True((await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent > 0);
        var books = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}");
        Assert.Equal((0, 0, 0), (books.Window!.Spent, books.Usage.Cost, books.Journal.Cost));
        Assert.Equal("failed", Assert.Single((await team.GetAsync("/v1/batches")).Json.GetProperty("data").EnumerateArray()).GetProperty("status").GetString());
        Assert.Equal(before + 1, Submitted("/silent"));
    }

    [Fact]
    public async Task T16_a_batch_that_its_provider_refuses_is_tried_again_and_costs_nothing()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(exchange => exchange.Request.Path.EndsWith("/batches", StringComparison.Ordinal)
            ? exchange.Send(Reply.Json(429, """{"error":{"message":"Too many tokens are waiting.","type":"rate_limit_error"}}"""))
            : FilesAsync(exchange));
        var file = await UploadAsync(key, "busy");

        (await team.PostAsync("/v1/batches", Submission(file))).IsError(429, "provider_rate_limited");

        Assert.Equal(3, Submitted("/busy"));
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal((0, 0), (books.Window!.Spent, books.Usage.Cost));
        Assert.Empty((await team.GetAsync("/v1/batches")).Json.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task While_Ledger_is_away_files_and_batches_get_503_and_chat_goes_on()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        (await team.ChatAsync("gpt-4o")).IsOk();
        await using (await cluster.Gateway.FreezeAsync("ledger"))
        {
            var refused = await Task.WhenAll(
                team.GetAsync("/v1/files"), team.GetAsync("/v1/batches"), team.GetAsync("/v1/files/file-1"), team.GetAsync("/v1/batches/batch_1"), team.PostAsync("/v1/batches", Submission("file-1")));
            Assert.All(refused, static answer => answer.IsError(503, "temporarily_unavailable"));
            (await team.ChatAsync("gpt-4o")).IsOk();
        }

        await cluster.Gateway.IsWholeAsync();
        await Eventually.Is(() => team.GetAsync("/v1/files"), static answer => answer.Status == 200, "files are listed again");
    }

    [Theory]
    [InlineData("""{"input_file_id":"FILE","completion_window":"24h"}""", "endpoint")]
    [InlineData("""{"endpoint":"/v1/chat/completions","completion_window":"24h"}""", "input_file_id")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"24h"}""", "endpoint")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/chat/completions"}""", "completion_window")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/chat/completions","completion_window":"24h","api_base":"http://evil.example"}""", "api_base")]
    public async Task What_is_missing_or_does_not_fit_the_file_is_named(string body, string param)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        var got = await team.SendAsync(HttpMethod.Post, "/v1/batches", body.Replace("FILE", await UploadAsync(key, "gpt-4o"), StringComparison.Ordinal));
        got.IsError(400, "invalid_request");
        Assert.Equal(param, got.Json.GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_file_of_another_purpose_says_for_which_model_it_is_and_comes_back_as_it_was_to_its_whole_team()
    {
        var team = AdminClient.NewName("team");
        await cluster.Admin.PostAsync("/team/new", new { team_id = team });
        var (mine, theirs) = (await cluster.Admin.NewKeyAsync(new { team_id = team }), await cluster.Admin.NewKeyAsync(new { team_id = team }));
        using var colleague = cluster.Team(theirs);

        // There are several accounts: which one is meant cannot be told.
        var (status, text) = await cluster.SendFileAsync(mine, "user_data", "A story.", null);
        Assert.Equal(400, status);
        Assert.Contains("in the field model", text, StringComparison.Ordinal);

        (status, text) = await cluster.SendFileAsync(mine, "user_data", "A story.", "gpt-4o");
        Assert.Equal(200, status);
        var id = (string)JsonNode.Parse(text)!["id"]!;
        Assert.Equal("A story.", (await colleague.GetAsync($"/v1/files/{id}/content")).Body);
        Assert.Equal(id, Assert.Single((await colleague.GetAsync("/v1/files?purpose=user_data")).Json.GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
        (await colleague.PostAsync("/v1/batches", Submission(id))).IsError(400, "invalid_request");
        (await colleague.SendAsync(HttpMethod.Delete, $"/files/{id}", null)).IsOk();
        (await colleague.GetAsync($"/v1/files/{id}")).IsError(404, "file_not_found");
    }

    [Fact]
    public async Task What_a_provider_says_of_a_file_has_the_gateways_id()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        var upstreamId = $"file-{Guid.NewGuid():N}";
        cluster.Upstream.OnRequest(exchange => exchange.Send(exchange.Request.Method == "POST"
            ? Reply.Json(200, $$"""{"id":"{{upstreamId}}","object":"file","bytes":1,"created_at":1,"filename":"x","purpose":"batch"}""")
            : Reply.Json(404, $$$"""{"error":{"message":"No such File object: {{{upstreamId}}}","type":"invalid_request_error"}}""")));
        var file = await UploadAsync(key, "busy");

        var got = await team.GetAsync($"/v1/files/{file}");

        got.IsError(404, "provider_bad_request");
        Assert.Equal($"No such File object: {file}", got.Message);
    }

    [Fact]
    public async Task A_file_that_its_provider_keeps_beyond_all_dates_is_taken_and_has_no_end()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        cluster.Upstream.OnRequest(static exchange => exchange.Send(Reply.Json(
            200, $$"""{"id":"file-{{Guid.NewGuid():N}}","object":"file","bytes":1,"created_at":1,"expires_at":253402300800,"filename":"x","purpose":"batch"}""")));

        var file = await UploadAsync(key, "busy");

        var listed = Assert.Single((await team.GetAsync("/v1/files")).Json.GetProperty("data").EnumerateArray());
        Assert.Equal((file, false), (listed.GetProperty("id").GetString(), listed.TryGetProperty("expires_at", out _)));
    }

    private static JsonObject Submission(string fileId) => new()
    {
        ["input_file_id"] = fileId, ["endpoint"] = "/v1/chat/completions", ["completion_window"] = "24h", ["metadata"] = new JsonObject { ["mine"] = "yes" },
    };

    /// <summary>The batch that a submission made, over at once.</summary>
    private static string BatchOf(string submission)
    {
        var asked = JsonNode.Parse(submission)!.AsObject();
        return new JsonObject
        {
            ["id"] = "batch_upstream", ["object"] = "batch", ["endpoint"] = "/v1/chat/completions", ["input_file_id"] = (string?)asked["input_file_id"], ["status"] = "completed", ["output_file_id"] = "file-out",
            ["error_file_id"] = null, ["created_at"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), ["metadata"] = asked["metadata"]!.DeepClone(),
            ["request_counts"] = new JsonObject { ["total"] = 1, ["completed"] = 1, ["failed"] = 0 },
        }.ToJsonString();
    }

    private static Task FilesAsync(Exchange exchange) => exchange.Send(exchange.Request is { Method: "POST" } && exchange.Request.Path.EndsWith("/files", StringComparison.Ordinal)
        ? Reply.Json(200, $$"""{"id":"file-{{Guid.NewGuid():N}}","object":"file","bytes":1,"created_at":1,"filename":"x","purpose":"batch"}""")
        : Reply.Json(404, """{"error":{"message":"There is none."}}"""));

    private int Submitted(string path) => cluster.Upstream.Requests.Count(request => request.Method == "POST" && request.Path == $"{path}/v1/batches");

    private async Task<string> UploadAsync(MadeKey key, string model)
    {
        var line = new JsonObject { ["custom_id"] = "line-0", ["method"] = "POST", ["url"] = "/v1/chat/completions", ["body"] = TeamClient.Body(model, "Hello!", 30) }.ToJsonString();
        var (status, text) = await cluster.SendFileAsync(key, "batch", line, null);
        Assert.True(status == 200, text);
        return (string)JsonNode.Parse(text)!["id"]!;
    }
}
