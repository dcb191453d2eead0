using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Accounting;

/// <summary>
/// gpt-5 costs 1.25 dollars for a million tokens read and 10 for a million written; at the tier <c>priority</c> twice as much, at <c>flex</c> half. 10 read and
/// 25 written are 10 x 1,250 + 25 x 10,000 = 262,500 nano-dollars.
/// </summary>
[Collection(ScriptedCollection.Name)]
public sealed class ServiceTierTests(ScriptedCluster cluster)
{
    [Theory]
    [InlineData("priority", "priority", 525_000)]
    [InlineData("priority", "default", 262_500)]
    [InlineData("priority", null, 525_000)]
    [InlineData("flex", "flex", 131_250)]
    [InlineData("auto", "priority", 525_000)]
    [InlineData(null, "flex", 131_250)]
    [InlineData(null, null, 262_500)]
    public async Task T39_What_the_answer_says_is_charged_whole_and_streamed(string? asked, string? served, long nanoDollars)
    {
        const string upstream = "gpt-5";
        string Said(string json) => served is null ? json : $"{json[..^1]},\"service_tier\":\"{served}\"}}";
        cluster.Upstream.Script(upstream, exchange => exchange.Send(OpenAiReplies.WantsStream(exchange.Request)
            ? Reply.Events().Data(Said(OpenAiReplies.Chunk(upstream, "An end."))).Data(Said(OpenAiReplies.Chunk(upstream, null, "stop")))
                .Data(Said(OpenAiReplies.UsageChunk(upstream, 10, 25))).Done()
            : Reply.Json(200, Said(OpenAiReplies.WholeJson(upstream, "An end.", 10, 25)))));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var body = TeamClient.Body("tiered-1", "Hello!", maxTokens: 100);
        if (asked is not null)
        {
            body["service_tier"] = asked;
        }

        var whole = await team.PostAsync("/v1/chat/completions", body);
        whole.IsOk();
        Assert.Equal(nanoDollars, whole.Cost);

        body["stream"] = true;
        await using var stream = await team.StreamAsync(body);
        await stream.ToEndAsync();
        Assert.Equal(nanoDollars, (await cluster.Books.RowOfAsync(stream.RequestId)).Cost);
        var books = await cluster.Books.AtRestAsync(key.Id, 2, $"user/{userId}");
        Assert.Equal(2 * nanoDollars, books.Window!.Spent);
    }
}
