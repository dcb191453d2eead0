using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;
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

    /// <summary>
    /// Each chunk is one token, which costs <see cref="ScriptedModels.OutputPrice"/>. The provider sends the next chunks when the client has those
    /// before them: one by one, or many in one write.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public async Task It_ends_within_one_chunk_of_the_last_nano_dollar(int atOnce)
    {
        const int affordable = 200, sent = 400;
        var model = ScriptedModels.NewModel();
        // It is expected to be short, so it does not begin with all the money there is.
        await Race.TeachEveryEdgeAsync(cluster, model);
        var gates = Enumerable.Range(0, sent / atOnce).Select(static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        var reply = gates.Aggregate(
            Reply.Events(), (reply, gate) => reply.Raw(string.Concat(Enumerable.Repeat($"data: {OpenAiReplies.Chunk(model, " word")}\n\n", atOnce))).Wait(gate.Task));
        cluster.Upstream.Script(model, reply.Done());
        // A limit that no number of tokens comes to.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(((affordable * ScriptedModels.OutputPrice) + 12_345) / 1_000_000_000m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, "Tell me all.");
        while (await stream.NextAsync() is not null)
        {
            if (stream.Frames.Count % atOnce == 0)
            {
                gates[(stream.Frames.Count / atOnce) - 1].TrySetResult();
            }
        }

        Assert.Equal("budget_exceeded", stream.ErrorCode);
        Assert.False(stream.IsDone);
        Assert.InRange(stream.Chunks.Count(), affordable / 2, affordable + 8 + atOnce);
        var window = (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!;
        output.WriteLine($"{stream.Chunks.Count()} chunks, {window}");
        Assert.InRange(window.Limit - window.Spent, 0, ScriptedModels.OutputPrice - 1);
    }
}
