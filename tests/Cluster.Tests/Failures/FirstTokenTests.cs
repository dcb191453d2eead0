using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Accounting is at the end of an answer: whatever of it is stuck, the first token does not wait for it.</summary>
[Collection(FailureCollection.Name)]
public sealed class FirstTokenTests(FailureCluster cluster)
{
    [Fact]
    public async Task T36_With_everything_that_accounts_frozen_the_first_token_comes_while_the_provider_still_speaks()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(100m);
        using var team = await cluster.AtEdgeAsync(key);
        var answered = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            answered.Add((await team.ChatAsync(model)).RequestId);
        }

        var gate = new TaskCompletionSource();
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, ScriptedModels.Pieces[0]).Wait(gate.Task)
            .Data(OpenAiReplies.Chunk(model, null, "stop")).Data(OpenAiReplies.UsageChunk(model, ScriptedModels.InputTokens, ScriptedModels.OutputTokens)).Done());
        await using (await cluster.Gateway.FreezeAsync("redis"))
        await using (await cluster.Gateway.FreezeAsync("rabbit"))
        await using (await cluster.Gateway.FreezeAsync("ledger"))
        await using (await cluster.Gateway.FreezeAsync("metering"))
        await using (await cluster.Gateway.FreezeAsync("auth"))
        {
            await using var stream = await team.StreamAsync(model, maxTokens: 30);
            Assert.NotNull(await stream.NextAsync());

            // The provider has not ended, and nothing was accounted: what came first came without it.
            Assert.False(gate.Task.IsCompleted);
            Assert.Equal(ScriptedModels.Pieces[0], stream.Text);

            gate.SetResult();
            Assert.True((await stream.ToEndAsync()).IsDone);
            answered.Add(stream.RequestId);
        }

        await cluster.Gateway.IsWholeAsync();
        await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
    }
}
