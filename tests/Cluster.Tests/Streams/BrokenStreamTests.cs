using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>A stream that breaks is an error frame and no [DONE], whatever broke it, and is charged for what came (T-33, T-34, T-35).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class BrokenStreamTests(ScriptedCluster cluster)
{
    public static TheoryData<string> Breaks => ["cut", "ended without finish", "half a frame", "not JSON", "an error frame"];

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task It_ends_with_an_error_frame_and_without_done(string way)
    {
        var model = ScriptedModels.NewModel();
        var begun = OpenAiReplies.Pieces(model, "So ", "far ", "so ", "good. ");
        cluster.Upstream.Script(model, way switch
        {
            "cut" => begun.Cut(),
            "ended without finish" => begun,
            "half a frame" => begun.Raw("data: {\"id\":\"chatcmpl-scripted\",\"choices\":[{\"index\":0,\"de\n\n").Data(OpenAiReplies.Chunk(model, "lost")).Done(),
            "not JSON" => begun.Raw("data: <html>Bad gateway</html>\n\n").Done(),
            _ => begun.Data("""{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}"""),
        });
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, "Go on.");
        await stream.ToEndAsync();

        Assert.Equal(200, stream.Status);
        Assert.False(stream.IsBroken);
        Assert.Equal("So far so good. ", stream.Text);
        Assert.Equal("provider_error", stream.ErrorCode);
        Assert.DoesNotContain("[DONE]", stream.Frames);
        Assert.StartsWith("{\"error\"", stream.Frames[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(stream.Chunks, static chunk => chunk.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind != System.Text.Json.JsonValueKind.Null);

        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal(Outcome.UpstreamCut, row.Outcome);
        Assert.True(row.Estimated);
        Assert.InRange(row.Output, 4, 6);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(row.Cost, books.Window!.Spent);
    }

    [Fact]
    public async Task A_stream_that_goes_silent_ends_in_time_with_a_timeout()
    {
        var model = ScriptedModels.NewModel("timed");
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Wait ", "for ").Hang());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, "Go on.");
        await stream.ToEndAsync().WaitAsync(Eventually.Limit);

        Assert.Equal("provider_timeout", stream.ErrorCode);
        Assert.False(stream.IsDone);
        await Assert.Single(cluster.Upstream.RequestsOf(model)).Cancelled.WaitAsync(Eventually.Limit);
        Assert.Equal(Outcome.UpstreamCut, (await cluster.Books.RowOfAsync(stream.RequestId)).Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_provider_that_never_begins_is_a_504_in_time(bool streamed)
    {
        var model = ScriptedModels.NewModel("timed");
        cluster.Upstream.Script(model, streamed ? Reply.Events().Hang() : Reply.Json(200, "{}").WaitBeforeHead(Task.Delay(Timeout.Infinite)));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = Calls.TeamClient.Body(model, "Begin.");
        body["stream"] = streamed;

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        (await team.PostAsync("/v1/chat/completions", body)).IsError(504, "provider_timeout");

        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < ScriptedCluster.Timeout * 5);
        await Assert.Single(cluster.Upstream.RequestsOf(model)).Cancelled.WaitAsync(Eventually.Limit);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(0, books.Journal.Cost);
    }
}
