using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>A deployment with <c>mock_response</c>: no provider is asked, and the money is counted like any other.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class MockedModelTests(ScriptedCluster cluster)
{
    [Fact]
    public async Task A_fixed_answer_comes_whole_and_streamed_and_is_counted_as_estimated()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);
        var whole = await team.ChatAsync("mocked-1");
        Assert.Equal((200, "A fixed answer."), (whole.Status, whole.Text));

        await using var stream = await team.StreamAsync("mocked-1");
        await stream.ToEndAsync();
        Assert.Equal((200, "A fixed answer.", true), (stream.Status, stream.Text, stream.IsDone));

        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.True(row.Estimated);
        Assert.True(row.Cost > 0);
        Assert.Equal(row.Cost, whole.Cost);
    }
}
