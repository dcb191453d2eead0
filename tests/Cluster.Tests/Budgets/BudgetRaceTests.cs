using System.Globalization;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>A budget for exactly ten requests and two hundred at once, on the mission's own cluster: ten are answered.</summary>
[Collection(MissionCollection.Name)]
public sealed class BudgetRaceTests(MissionCluster cluster)
{
    private const string Text = "How much is left?";

    [Fact]
    public async Task Of_200_at_once_exactly_the_10_that_the_budget_pays_for_are_answered()
    {
        var cost = await CostAsync("gpt-4");
        var before = await cluster.SampleRequestsAsync("gpt-4");

        await RaceAsync("gpt-4", cost, calls: 200, affordable: 10, maxTokens: null);

        Assert.Equal(before + 10, await cluster.SampleRequestsAsync("gpt-4"));
    }

    [Fact]
    public async Task So_they_are_when_each_declares_800_times_the_tokens_that_it_uses()
    {
        var cost = await CostAsync("gpt-4");
        var before = await cluster.SampleRequestsAsync("gpt-4");

        await RaceAsync("gpt-4", cost, calls: 200, affordable: 10, maxTokens: 20_000);

        Assert.Equal(before + 10, await cluster.SampleRequestsAsync("gpt-4"));
    }

    [Fact]
    public async Task One_after_the_other_98_percent_of_a_budget_are_used_before_the_first_refusal()
    {
        var cost = await CostAsync("gpt-4");
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(Dollars(100 * cost));
        using var team = cluster.Team(key);

        var answered = 0;
        Answer answer;
        while ((answer = await team.ChatAsync("gpt-4", Text, maxTokens: 20_000)).Status == 200)
        {
            answered++;
        }

        answer.IsError(429, "budget_exceeded");
        Assert.InRange(answered, 98, 100);
        var books = await cluster.Books.AtRestAsync(key.Id, answered, $"user/{userId}");
        Assert.Equal(answered * cost, books.Window!.Spent);
    }

    private async Task RaceAsync(string model, long cost, int calls, int affordable, int? maxTokens)
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(Dollars(affordable * cost));
        using var team = cluster.Team(key);

        var answers = await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => team.ChatAsync(model, Text, maxTokens)));

        var answered = answers.Where(static answer => answer.Status == 200).ToList();
        Assert.All(answers.Where(static answer => answer.Status != 200), static answer => answer.IsError(429, "budget_exceeded"));
        Assert.Equal(affordable, answered.Count);
        Assert.All(answered, answer => Assert.Equal(cost, answer.Cost));
        var books = await cluster.Books.AtRestAsync(key.Id, affordable, $"user/{userId}");
        Assert.Equal(affordable * cost, books.Window!.Spent);
        Assert.Equal(books.Window.Limit, books.Window.Spent);
        Assert.Equal(affordable * cost, books.Journal.Cost);

        // What is refused says which budget and nothing of its amount.
        var refused = answers.First(static answer => answer.Status == 429);
        Assert.Equal("user", refused.Json.GetProperty("error").GetProperty("param").GetString());
        Assert.DoesNotContain(Dollars(affordable * cost).ToString(CultureInfo.InvariantCulture), refused.Body, StringComparison.Ordinal);
    }

    /// <summary>What the request costs, learned with a key that has no budget.</summary>
    private async Task<long> CostAsync(string model)
    {
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("learner") });
        using var team = cluster.Team(key);
        return (await team.ChatAsync(model, Text)).Cost;
    }

    private static decimal Dollars(long nano) => nano / 1_000_000_000m;
}
