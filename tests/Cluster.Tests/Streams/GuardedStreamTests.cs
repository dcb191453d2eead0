using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>A stream whose budget ends before it does stops there, with the reason.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class GuardedStreamTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    [Fact]
    public async Task A_stream_at_the_end_of_the_money_ends_with_the_error_frame_and_never_over()
    {
        var model = ScriptedModels.NewModel();
        // A story without an end; the budget is good for about 200 of its words.
        cluster.Upstream.Script(model, async exchange =>
            await exchange.Send(OpenAiReplies.Pieces(model, Enumerable.Repeat("word ", 5_000))));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(200 * ScriptedModels.OutputPrice / 1_000_000_000m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, "Tell me all.");
        await stream.ToEndAsync();

        Assert.Equal("budget_exceeded", stream.ErrorCode);
        Assert.False(stream.IsDone);
        await Assert.Single(cluster.Upstream.RequestsOf(model)).Finished.WaitAsync(Eventually.Limit);
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal(Outcome.BudgetExhausted, row.Outcome);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        output.WriteLine($"{books.Window}");
        Assert.True(books.Window!.Spent <= books.Window.Limit, $"Overspent: {books.Window}");
        Assert.True(books.Window.Spent > books.Window.Limit / 2, $"Ended long before the money did: {books.Window}");
    }
}
