using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>Until the first byte another model can answer instead, for streams too (T-61); one attempt is charged, the others are visible (T-24).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class FallbackTests(ScriptedCluster cluster)
{
    private const string Error = """{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}""";

    public static TheoryData<string, string, bool> Failures => new()
    {
        { "first-1", "status", true },
        { "first-2", "cut", true },
        { "first-3", "garbage", true },
        { "first-4", "status", false },
        { "first-5", "cut", false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task What_fails_before_its_first_byte_is_answered_by_the_fallback_and_charged_once(string model, string way, bool streamed)
    {
        cluster.Upstream.Script(model, way switch
        {
            "status" => Reply.Json(500, Error),
            "cut" => Reply.Aborted(),
            _ => Reply.Events().Raw("data: <html>\n\n"),
        });
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        Guid id;
        if (streamed)
        {
            await using var stream = await team.StreamAsync(model);
            await stream.ToEndAsync();
            Assert.Equal((200, string.Concat(ScriptedModels.Pieces), true), (stream.Status, stream.Text, stream.IsDone));
            id = stream.RequestId;
        }
        else
        {
            var answer = await team.ChatAsync(model);
            Assert.Equal((200, string.Concat(ScriptedModels.Pieces)), (answer.Status, answer.Text));
            Assert.Equal("1", answer.Header("x-litellm-attempted-fallbacks"));
            id = answer.RequestId;
        }

        Assert.Single(cluster.Upstream.RequestsOf(model));
        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal(ScriptedModels.Cost, row.Cost);
        Assert.NotNull(row.FailedAttempts);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(ScriptedModels.Cost, books.Window!.Spent);
    }

    [Fact]
    public async Task After_the_first_byte_there_is_no_fallback()
    {
        const string model = "first-6";
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Begun ").Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model);
        await stream.ToEndAsync();

        Assert.Equal(("Begun ", "provider_error", false), (stream.Text, stream.ErrorCode, stream.IsDone));
    }

    [Fact]
    public async Task A_fallback_never_leads_to_a_model_that_the_key_may_not_use()
    {
        const string model = "first-1";
        cluster.Upstream.Script(model, Reply.Json(500, Error));
        var key = await cluster.Admin.NewKeyAsync(new { models = new[] { model } });
        using var team = cluster.Team(key);
        (await team.ChatAsync(model)).IsError(502, "provider_error");
    }
}
