using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>The mission's team-beta, a budget for exactly ten more requests, and two hundred at once: ten are answered.</summary>
[Collection(MissionCollection.Name)]
public sealed class BudgetRaceTests(MissionCluster cluster)
{
    [Fact]
    public async Task Of_team_beta_s_200_calls_at_once_exactly_the_10_that_its_budget_pays_for_are_answered()
    {
        // A user's key that has made calls before, as team-beta's has: its next ten cost what its last one did.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(200m, "team-beta");
        using var team = cluster.Team(key);
        var cost = (await team.ChatAsync("gpt-4")).Cost;
        await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        await cluster.Admin.PostAsync("/user/update", new { user_id = userId, max_budget = 11 * cost / 1_000_000_000m });
        var upstream = await cluster.SampleRequestsAsync("gpt-4");

        var answered = Race.Answered(await Race.ChatAsync(team, "gpt-4", 200, "Hello!"));

        Assert.Equal(10, answered.Count);
        Assert.All(answered, answer => Assert.Equal(cost, answer.Cost));
        Assert.Equal(upstream + 10, await cluster.SampleRequestsAsync("gpt-4"));
        var books = await cluster.Books.AtRestAsync(key.Id, 11, $"user/{userId}");
        Assert.Equal(11 * cost, books.Window!.Spent);
        Assert.Equal(books.Window.Limit, books.Window.Spent);
    }

    [Fact]
    public async Task A_refusal_names_the_scope_and_no_amount()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(0.000_123_456m);
        using var team = cluster.Team(key);
        Answer answer;
        do
        {
            answer = await team.ChatAsync("gpt-4");
        }
        while (answer.Status == 200);

        answer.IsError(429, "budget_exceeded");
        Assert.Equal("user", answer.Json.GetProperty("error").GetProperty("param").GetString());
        Assert.DoesNotContain("123", answer.Body, StringComparison.Ordinal);
    }
}
