using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>A client that hangs up owes for what was produced, and the provider is told to stop (T-28, T-29).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class ClientLeavesTests(ScriptedCluster cluster)
{
    [Fact]
    public async Task T28_T29_In_the_middle_of_a_stream_the_provider_is_cancelled_and_what_was_produced_is_charged()
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "One ", "two ", "three ", "four ").Hang());
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        Guid id;
        await using (var stream = await team.StreamAsync(model, "Count."))
        {
            id = stream.RequestId;
            while (stream.Text != "One two three four ")
            {
                Assert.NotNull(await stream.NextAsync());
            }
        }

        var received = Assert.Single(await cluster.Upstream.WaitForRequestsAsync(model));
        await received.Cancelled.WaitAsync(Eventually.Limit);
        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal(Outcome.ClientClosed, row.Outcome);
        Assert.True(row.Estimated);
        Assert.InRange(row.Output, 4, 6);
        Assert.InRange(row.Input, 5, 15);
        Assert.Equal((row.Input * ScriptedModels.InputPrice) + (row.Output * ScriptedModels.OutputPrice), row.Cost);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(row.Cost, books.Window!.Spent);
    }

    [Fact]
    public async Task T29_Before_the_answer_the_provider_is_cancelled_and_nothing_stays_reserved()
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, Reply.Json(200, "{}").WaitBeforeHead(Task.Delay(Timeout.Infinite)));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        using var leaving = new CancellationTokenSource();

        var call = team.ChatAsync(model, cancellation: leaving.Token);
        var received = Assert.Single(await cluster.Upstream.WaitForRequestsAsync(model));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        await received.Cancelled.WaitAsync(Eventually.Limit);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(0, books.Journal.Cost);
        Assert.Equal(Outcome.ClientClosed, Assert.Single(await cluster.Books.OutcomesAsync(key.Id)).Key);
    }
}
