using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>A provider's address answers nobody: the fallback does, and without one the error is honest.</summary>
[Collection(FailureCollection.Name)]
public sealed class ProviderDownTests(FailureCluster cluster)
{
    [Fact]
    public async Task Its_fallback_answers_and_is_charged_once()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var answer = await team.ChatAsync("down-1");

        Assert.Equal((200, string.Concat(ScriptedModels.Pieces)), (answer.Status, answer.Text));
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        Assert.Contains("connection", row.FailedAttempts, StringComparison.Ordinal);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(ScriptedModels.Cost, books.Window!.Spent);
    }

    [Fact]
    public async Task Without_a_fallback_the_error_is_honest_names_no_address_and_costs_nothing()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var answer = await team.ChatAsync("down-2");

        answer.IsError(502, "provider_error");
        Assert.DoesNotContain("127.0.0.1", answer.Body, StringComparison.Ordinal);
        Assert.Equal(0, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Journal.Cost);
        await Eventually.Holds(
            async () => (await team.GetAsync("/metrics")).Body.Contains("gateway_failed_attempts", StringComparison.Ordinal), "the failed attempt is in the metrics");
    }
}
