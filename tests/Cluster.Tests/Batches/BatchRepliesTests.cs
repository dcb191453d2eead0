using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clients;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Batches;

/// <summary>What is answered about files and batches is what OpenAI describes: also a list of nothing, and a batch of which its provider says little or has said nothing.</summary>
[Collection(BatchesCollection.Name)]
public sealed class BatchRepliesTests(BatchesCluster cluster, ITestOutputHelper output)
{
    private readonly CheckedReplies replies = new(output);

    [SkippableFact]
    public async Task Every_answer_about_files_and_batches_is_what_OpenAI_describes()
    {
        ClientsInNode.SkipWithout();
        cluster.Upstream.OnRequest(static exchange => exchange.Send(exchange.Request.Method == "DELETE" ? Reply.Json(200, """{"id":"file-1","object":"file","deleted":true}""")
            : exchange.Request.Path switch
            {
                var path when path.Contains("/files", StringComparison.Ordinal) =>
                    Reply.Json(200, $$"""{"id":"file-{{Guid.NewGuid():N}}","object":"file","bytes":1,"created_at":1,"filename":"x","purpose":"batch","status":"processed"}"""),
                "/silent/v1/batches" when exchange.Request.Method == "POST" => Reply.Json(500, """{"error":{"message":"The server had an error.","type":"server_error"}}"""),
                var path when exchange.Request.Method == "GET" && path.EndsWith("/batches", StringComparison.Ordinal) => Reply.Json(200, """{"object":"list","data":[],"has_more":false}"""),
                _ => Reply.Json(200, Batch(isOver: exchange.Request.Method == "GET")),
            }));
        await SaidLittleAsync();
        await SaidNothingAsync();

        Assert.Empty(await replies.WrongAsync());
    }

    /// <summary>The whole life of a batch whose provider says no more of it than it must.</summary>
    private async Task SaidLittleAsync()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        Add("no files", "files", await team.GetAsync("/v1/files"));
        Add("no batches", "batches", await team.GetAsync("/v1/batches"));
        var file = await UploadAsync(key, "busy");
        Add("a file", "file", await team.GetAsync($"/v1/files/{file}"));
        Add("files", "files", await team.GetAsync("/v1/files"));

        var submitted = await team.PostAsync("/v1/batches", Submission(file));
        Add("a batch that was submitted", "batch", submitted);
        Add("batches", "batches", await team.GetAsync("/v1/batches"));
        Add("a batch", "batch", await team.GetAsync($"/v1/batches/{submitted.Json.GetProperty("id").GetString()}"));
        await cluster.Books.AtRestAsync(key.Id, 2);
        Add("batches that are over", "batches", await team.GetAsync("/v1/batches"));
        Add("a file that is deleted", "file_deleted", await team.SendAsync(HttpMethod.Delete, $"/v1/files/{file}", null));
        replies.Add("an unknown file", "openai_error", (await team.GetAsync("/v1/files/file-none")).Body);
        replies.Add("an unknown batch", "openai_error", (await team.GetAsync("/v1/batches/batch_none")).Body);
    }

    /// <summary>A batch of which nobody knows whether its provider took it, and then that it did not.</summary>
    private async Task SaidNothingAsync()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        replies.Add("a submission that failed", "openai_error", (await team.PostAsync("/v1/batches", Submission(await UploadAsync(key, "silent")))).Body);
        var listed = await team.GetAsync("/v1/batches");
        Add("batches that may have been taken", "batches", listed);
        Add("a batch that may have been taken", "batch", await team.GetAsync($"/v1/batches/{listed.Json.GetProperty("data")[0].GetProperty("id").GetString()}"));
        await cluster.Books.AtRestAsync(key.Id, 2);
        Add("batches that were never taken", "batches", await team.GetAsync("/v1/batches"));
    }

    private void Add(string label, string type, Answer answer)
    {
        answer.IsOk();
        replies.Add(label, type, answer.Body);
    }

    private async Task<string> UploadAsync(MadeKey key, string model)
    {
        var line = new JsonObject { ["custom_id"] = "line-0", ["method"] = "POST", ["url"] = "/v1/chat/completions", ["body"] = TeamClient.Body(model, "Hello!", 30) }.ToJsonString();
        var (status, text) = await cluster.SendFileAsync(key, "batch", line, null);
        Assert.True(status == 200, text);
        replies.Add($"a file that was sent to {model}", "file", text);
        return (string)JsonNode.Parse(text)!["id"]!;
    }

    private static JsonObject Submission(string fileId) => new() { ["input_file_id"] = fileId, ["endpoint"] = "/v1/chat/completions", ["completion_window"] = "24h" };

    /// <summary>A batch as its provider says it: validated and found wrong, so that it is over and cost nothing.</summary>
    private static string Batch(bool isOver) => $$"""
        {"id":"batch_upstream","object":"batch","endpoint":"/v1/chat/completions","input_file_id":"file-1","completion_window":"24h","status":"{{(isOver ? "failed" : "validating")}}","created_at":1}
        """;
}
