using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>Where the configuration says so, a stream's last usage has what the request cost, whatever protocol it came from.</summary>
[Collection(ClientsCollection.Name)]
public sealed class StreamCostTests(ClientsCluster cluster)
{
    public static TheoryData<string> Models => new(ClientsCluster.Models);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task T32_The_cost_comes_with_the_stream_and_is_the_one_that_is_booked(string model)
    {
        using var team = cluster.Team(ClientsCluster.Key);

        await using var stream = await team.StreamAsync(model, "What does it cost?", withUsage: true);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        var cost = (long)(stream.Usage!.Value.GetProperty("cost").GetDecimal() * 1_000_000_000);
        Assert.True(cost > 0);
        Assert.Equal((await cluster.Books.RowOfAsync(stream.RequestId)).Cost, cost);
    }
}
