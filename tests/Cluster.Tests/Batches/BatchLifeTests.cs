using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Failures;
using Gateway.Launcher.Servers;
using OpenAI;
using OpenAI.Files;

namespace Gateway.Cluster.Tests.Batches;

/// <summary>A batch from its file to its answers, and what it costs on the way (T-16).</summary>
[Collection(BatchesCollection.Name)]
public sealed class BatchLifeTests(BatchesCluster cluster)
{
    // Nano-dollars for a token of gpt-4o in a batch: 1.25 and 5 dollars for a million.
    private const long Input = 1_250;
    private const long Output = 5_000;

    [Fact]
    public async Task T16_a_batch_is_charged_its_estimate_when_it_is_submitted_and_what_it_cost_when_it_is_over()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        var files = Files(key);
        OpenAIFile input = await files.UploadFileAsync(Lines(6), "in.jsonl", FileUploadPurpose.Batch);
        Assert.StartsWith("file-", input.Id, StringComparison.Ordinal);
        Assert.Equal("in.jsonl", ((OpenAIFile)await files.GetFileAsync(input.Id)).Filename);

        var submitted = await SubmitAsync(team, input.Id, "in_progress");
        var batchId = submitted.Json.GetProperty("id").GetString()!;
        var estimate = submitted.Cost;

        // What it may cost is held at once, and no more than the worst case: 6 lines of at most 30 tokens each.
        var before = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(estimate, before.Window!.Spent);
        Assert.InRange(estimate, 6 * 30 * Output, 6 * ((30 * Output) + (400 * Input)));
        Assert.Equal("in_progress", await Eventually.Is(() => StatusAsync(team, batchId), static status => status == "in_progress", "it is in progress"));
        Assert.Equal(input.Id, (await team.GetAsync($"/v1/batches/{batchId}")).Json.GetProperty("input_file_id").GetString());

        await cluster.ReleaseAsync();
        var after = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}");
        var done = (await team.GetAsync($"/v1/batches/{batchId}")).Json;
        Assert.Equal("completed", done.GetProperty("status").GetString());
        BinaryData answers = await files.DownloadFileAsync(done.GetProperty("output_file_id").GetString()!);
        var (lines, cost) = CostOf(answers.ToString());
        Assert.Equal(6, lines);
        Assert.InRange(cost, 1, estimate - 1);
        Assert.Equal((cost, cost, cost), (after.Usage.Cost, after.Journal.Cost, after.Window!.Spent));

        Assert.Equal(batchId, Assert.Single((await team.GetAsync("/v1/batches?limit=5")).Json.GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(2, ((OpenAIFileCollection)await files.GetFilesAsync()).Count);
        Assert.True(((FileDeletionResult)await files.DeleteFileAsync(input.Id)).Deleted);
        Assert.Equal(404, (await team.GetAsync($"/v1/files/{input.Id}")).Status);
    }

    [Fact]
    public async Task T16_a_batch_that_is_cancelled_or_has_lines_that_fail_costs_what_was_answered()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        OpenAIFile input = await Files(key).UploadFileAsync(Lines(5), "in.jsonl", FileUploadPurpose.Batch);

        var failing = await SubmitAsync(team, input.Id, new JsonObject { ["sample-fail-lines"] = "line-1,line-3" });
        var first = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}");
        var (lines, cost) = CostOf((await team.GetAsync($"/v1/files/{await OutputAsync(team, failing)}/content")).Body);
        Assert.Equal((3, cost), (lines, first.Window!.Spent));

        var cancelled = await SubmitAsync(team, input.Id, new JsonObject { ["sample-hold-after"] = "2" });
        var id = cancelled.Json.GetProperty("id").GetString();
        await Eventually.Is(
            async () => (await team.GetAsync($"/v1/batches/{id}")).Json.GetProperty("request_counts").GetProperty("completed").GetInt32(), static done => done == 2, "two lines are answered");
        (await team.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel", "{}")).IsOk();
        var second = await cluster.Books.AtRestAsync(key.Id, 4, $"user/{userId}");
        (lines, var rest) = CostOf((await team.GetAsync($"/v1/files/{await OutputAsync(team, cancelled)}/content")).Body);
        Assert.Equal(2, lines);
        Assert.Equal((cost + rest, cost + rest), (second.Window!.Spent, second.Usage.Cost));

        // Refused while it was validated: nothing was asked of the model.
        await SubmitAsync(team, input.Id, new JsonObject { ["sample-fail"] = "empty_file" });
        Assert.Equal(cost + rest, (await cluster.Books.AtRestAsync(key.Id, 6, $"user/{userId}")).Window!.Spent);
    }

    [Fact]
    public async Task T16_a_batch_that_may_cost_more_than_is_left_is_refused_and_nothing_is_sent()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(0.0002m);
        using var team = cluster.Team(key);
        OpenAIFile input = await Files(key).UploadFileAsync(Lines(50), "in.jsonl", FileUploadPurpose.Batch);
        var before = await SubmittedAsync();

        var refused = await team.PostAsync("/v1/batches", Submission(input.Id));

        refused.IsError(429, "budget_exceeded");
        Assert.Contains("max_tokens", refused.Message, StringComparison.Ordinal);
        Assert.Contains("50 lines", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await SubmittedAsync());
        Assert.Empty((await team.GetAsync("/v1/batches")).Json.GetProperty("data").EnumerateArray());
        Assert.Equal(0, (await cluster.Books.AccountsAsync(key.Id, $"user/{userId}")).Window!.Spent);
    }

    [Fact]
    public async Task What_a_team_has_sent_is_another_teams_to_see_in_no_way()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        var (others, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        using var other = cluster.Team(others);
        OpenAIFile input = await Files(key).UploadFileAsync(Lines(2), "in.jsonl", FileUploadPurpose.Batch);
        var batch = await SubmitAsync(team, input.Id, "in_progress");
        var id = batch.Json.GetProperty("id").GetString();
        try
        {
            foreach (var path in (string[])[$"/v1/files/{input.Id}", $"/v1/files/{input.Id}/content", $"/files/{input.Id}"])
            {
                Assert.Equal((await other.GetAsync(path.Replace(input.Id, "file-0123456789abcdef0123456789abcdef", StringComparison.Ordinal))).Body, (await other.GetAsync(path)).Body);
                (await other.GetAsync(path)).IsError(404, "file_not_found");
            }

            (await other.SendAsync(HttpMethod.Delete, $"/v1/files/{input.Id}", null)).IsError(404, "file_not_found");
            (await other.PostAsync("/v1/batches", Submission(input.Id))).IsError(404, "file_not_found");
            (await other.GetAsync($"/v1/batches/{id}")).IsError(404, "batch_not_found");
            (await other.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel", "{}")).IsError(404, "batch_not_found");
            Assert.Empty((await other.GetAsync("/v1/files")).Json.GetProperty("data").EnumerateArray());
            Assert.Empty((await other.GetAsync("/v1/batches")).Json.GetProperty("data").EnumerateArray());
            Assert.Equal("in_progress", await Eventually.Is(() => StatusAsync(team, id!), static status => status == "in_progress", "it runs on"));
        }
        finally
        {
            await cluster.ReleaseAsync();
        }
    }

    [Fact]
    public async Task T16_an_edge_that_dies_between_submission_and_end_leaves_a_batch_that_another_one_settles_once()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var doomed = await cluster.AtEdgeAsync(key, "edge-1");
        using var other = await cluster.AtEdgeAsync(key, "edge-2");
        OpenAIFile input = await Files(key).UploadFileAsync(Lines(4), "in.jsonl", FileUploadPurpose.Batch);
        var batch = await SubmitAsync(doomed, input.Id, "in_progress");
        var id = batch.Json.GetProperty("id").GetString()!;

        await cluster.Gateway.SendAsync("edge-1", Signal.Kill);
        await cluster.ReleaseAsync();

        Assert.Equal("completed", await Eventually.Is(() => StatusAsync(other, id), static status => status == "completed", "the other edge knows that it is over"));
        await cluster.Gateway.IsWholeAsync();
        var books = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}", Failure.Limit);
        var (lines, cost) = CostOf((await other.GetAsync($"/v1/files/{await OutputAsync(other, batch)}/content")).Body);
        Assert.Equal((4, cost, cost), (lines, books.Window!.Spent, books.Usage.Cost));
        Assert.Equal(2, (await cluster.Books.JournalIdsAsync(key.Id)).Distinct().Count());
    }

    [Theory]
    [InlineData("claude-2", "operation_unsupported")]
    [InlineData("no-such-model", "model_access_denied")]
    public async Task A_model_that_cannot_is_named_when_the_file_is_sent(string model, string code)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Files(key).UploadFileAsync(Lines(2, model), "in.jsonl", FileUploadPurpose.Batch));
        Assert.Contains(code, refused.Message, StringComparison.Ordinal);
    }

    private static BinaryData Lines(int count, string model = "gpt-4o")
    {
        var text = new StringBuilder();
        for (var number = 0; number < count; number++)
        {
            text.Append(new JsonObject { ["custom_id"] = $"line-{number}", ["method"] = "POST", ["url"] = "/v1/chat/completions", ["body"] = TeamClient.Body(model, $"Tell me of the number {number}.", 30) }.ToJsonString()).Append('\n');
        }

        return BinaryData.FromString(text.ToString());
    }

    private static JsonObject Submission(string fileId, JsonObject? metadata = null) => new()
    {
        ["input_file_id"] = fileId, ["endpoint"] = "/v1/chat/completions", ["completion_window"] = "24h", ["metadata"] = metadata ?? new JsonObject { ["mine"] = "yes" },
    };

    private static Task<Answer> SubmitAsync(TeamClient team, string fileId, string holdAt) => SubmitAsync(team, fileId, new JsonObject { ["sample-hold"] = holdAt });

    private static async Task<Answer> SubmitAsync(TeamClient team, string fileId, JsonObject metadata)
    {
        var submitted = await team.PostAsync("/v1/batches", Submission(fileId, metadata));
        submitted.IsOk();
        Assert.StartsWith("batch_", submitted.Json.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(fileId, submitted.Json.GetProperty("input_file_id").GetString());
        return submitted;
    }

    private static async Task<string?> StatusAsync(TeamClient team, string batchId) => (await team.GetAsync($"/v1/batches/{batchId}")).Json.GetProperty("status").GetString();

    private static async Task<string?> OutputAsync(TeamClient team, Answer batch) =>
        (await team.GetAsync($"/v1/batches/{batch.Json.GetProperty("id").GetString()}")).Json.GetProperty("output_file_id").GetString();

    /// <summary>What the answers in an output cost, by what they say that they used: added up here, and not by the gateway's own code.</summary>
    private static (int Lines, long Cost) CostOf(string output)
    {
        var (lines, cost) = (0, 0L);
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var usage = JsonElement.Parse(line).GetProperty("response").GetProperty("body").GetProperty("usage");
            cost += (usage.GetProperty("prompt_tokens").GetInt64() * Input) + (usage.GetProperty("completion_tokens").GetInt64() * Output);
            lines++;
        }

        return (lines, cost);
    }

    /// <summary>How many batches the provider has.</summary>
    private async Task<int> SubmittedAsync()
    {
        using var sample = await cluster.SampleAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/batches?limit=100") { Headers = { { "Authorization", "Bearer any" } } };
        using var reply = await sample.SendAsync(request);
        return JsonElement.Parse(await reply.Content.ReadAsStringAsync()).GetProperty("data").GetArrayLength();
    }

    private OpenAIFileClient Files(MadeKey key) => new OpenAIClient(
        new ApiKeyCredential(key.Key),
        new() { Endpoint = new Uri($"http://localhost:{cluster.Gateway.Port}/v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) }).GetOpenAIFileClient();
}
