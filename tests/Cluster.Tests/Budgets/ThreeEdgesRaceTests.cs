using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>One budget, three edges, everything at once: never over, and usable to the last request.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class ThreeEdgesRaceTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    [Theory]
    [InlineData(200, 10, null)]
    [InlineData(200, 10, 20_000)]
    [InlineData(500, 50, null)]
    [InlineData(500, 50, 20_000)]
    public async Task What_the_budget_pays_for_is_answered_and_no_more_when_the_cost_is_known(int calls, int affordable, int? maxTokens)
    {
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model, maxTokens);
        var taught = cluster.Upstream.RequestsOf(model).Count;

        var (answered, window) = await RaceAsync(model, calls, affordable, maxTokens);

        Assert.Equal(affordable, answered);
        Assert.Equal(affordable, cluster.Upstream.RequestsOf(model).Count - taught);
        Assert.Equal(window.Limit, window.Spent);
    }

    [Theory]
    [InlineData(200, 10, null)]
    [InlineData(200, 10, 20_000)]
    [InlineData(500, 50, 20_000)]
    public async Task And_when_nothing_was_learned_of_the_model(int calls, int affordable, int? maxTokens)
    {
        var model = ScriptedModels.NewModel();

        var (answered, window) = await RaceAsync(model, calls, affordable, maxTokens);

        Assert.Equal(affordable, answered);
        Assert.Equal(affordable, cluster.Upstream.RequestsOf(model).Count);
        Assert.Equal(window.Limit, window.Spent);
    }

    [Fact]
    public async Task A_slow_provider_lets_no_more_through_than_a_fast_one()
    {
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model);
        var taught = cluster.Upstream.RequestsOf(model).Count;
        var gate = Race.Gate(cluster.Upstream, model);
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(20 * ScriptedModels.Cost / 1_000_000_000m);
        using var team = cluster.Team(key);

        var calls = Race.ChatAsync(team, model, 100, "Slow?");
        await cluster.Upstream.WaitForRequestsAsync(model, taught + 20);
        gate.SetResult();
        var answered = Race.Answered(await calls);

        Assert.Equal(20, answered.Count);
        Assert.Equal(20, cluster.Upstream.RequestsOf(model).Count - taught);
        await cluster.Books.AtRestAsync(key.Id, 20, $"user/{userId}");
    }

    [Fact]
    public async Task None_is_refused_while_what_is_left_pays_for_what_it_is_expected_to_cost_and_the_next_one_is()
    {
        // Each declares 800 times what it uses, so that only what is expected of those under way can let the next one in.
        const int affordable = 20, declared = 800 * (int)ScriptedModels.OutputTokens;
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model, declared);
        var taught = cluster.Upstream.RequestsOf(model).Count;
        var gate = Race.Gate(cluster.Upstream, model);
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(((affordable + 1) * ScriptedModels.Cost / 1_000_000_000m) - 0.000_000_001m);
        using var team = cluster.Team(key);

        var calls = new List<Task<Answer>>();
        while (calls.Count < affordable)
        {
            calls.Add(team.ChatAsync(model, Race.Text, declared));
            await cluster.Upstream.WaitForRequestsAsync(model, taught + calls.Count);
        }

        // A nano-dollar is missing for one more, on whichever edge.
        Assert.Empty(Race.Answered(await Race.ChatAsync(team, model, 6, Race.Text, declared)));
        gate.SetResult();
        Assert.Equal(affordable, Race.Answered(await Task.WhenAll(calls)).Count);
        var books = await cluster.Books.AtRestAsync(key.Id, affordable, $"user/{userId}");
        Assert.Equal(affordable * ScriptedModels.Cost, books.Window!.Spent);
    }

    [Fact]
    public async Task A_budget_holds_at_every_level_above_the_key()
    {
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model);
        var taught = cluster.Upstream.RequestsOf(model).Count;
        var teamId = AdminClient.NewName("team");
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, max_budget = 12 * ScriptedModels.Cost / 1_000_000_000m });
        List<MadeKey> keys = [];
        for (var i = 0; i < 4; i++)
        {
            var userId = AdminClient.NewName("member");
            await cluster.Admin.NewUserAsync(userId, 1_000m);
            keys.Add(await cluster.Admin.NewKeyAsync(new { user_id = userId, team_id = teamId, max_budget = 5 * ScriptedModels.Cost / 1_000_000_000m }));
        }

        var teams = keys.Select(cluster.Team).ToList();
        var answers = (await Task.WhenAll(teams.Select(team => Race.ChatAsync(team, model, 40, Race.Text)))).ToList();
        teams.ForEach(static team => team.Dispose());

        // Four keys for five each would be twenty; the team has twelve.
        var counts = answers.Select(answersOfOne => Race.Answered(answersOfOne).Count).ToList();
        output.WriteLine($"answered by key: {string.Join(", ", counts)}");
        Assert.All(counts, static count => Assert.InRange(count, 0, 5));
        Assert.Equal(12, counts.Sum());
        Assert.Equal(12, cluster.Upstream.RequestsOf(model).Count - taught);
        for (var i = 0; i < 4; i++)
        {
            await cluster.Books.AtRestAsync(keys[i].Id, counts[i], $"key/{keys[i].Id}");
        }

        var team = await Eventually.Is(
            () => cluster.Books.WindowAsync($"team/{teamId}"), static window => window is { Leased: 0 } && window.Spent == window.Limit, "the team's budget is spent and nothing is leased");
        Assert.Equal(12 * ScriptedModels.Cost, team!.Spent);
    }

    private async Task<(int Answered, Books.RedisWindow Window)> RaceAsync(string model, int calls, int affordable, int? maxTokens)
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(affordable * ScriptedModels.Cost / 1_000_000_000m);
        using var team = cluster.Team(key);
        var before = cluster.Upstream.RequestsOf(model).Count;

        var answered = Race.Answered(await Race.ChatAsync(team, model, calls, "How much is left?", maxTokens));

        var upstream = cluster.Upstream.RequestsOf(model).Count - before;
        output.WriteLine($"{calls} calls on a budget for {affordable}: {answered.Count} answered, {upstream} reached the provider");
        var books = await cluster.Books.AtRestAsync(key.Id, upstream, $"user/{userId}");
        output.WriteLine($"{books}");
        Assert.True(books.Window!.Spent <= books.Window.Limit, $"Overspent: {books.Window}");
        Assert.Equal(upstream * ScriptedModels.Cost, books.Window.Spent);
        return (answered.Count, books.Window);
    }
}
