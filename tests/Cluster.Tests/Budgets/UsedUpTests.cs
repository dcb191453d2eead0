using System.Text.Json;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>A budget that is used up stops what costs money, and nothing else; a model without a price is never free in silence.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class UsedUpTests(ScriptedCluster cluster)
{
    [Fact]
    public async Task T7b_T13_T17_models_are_listed_a_free_one_answers_the_refusal_says_until_when_and_reports_stay_what_they_are()
    {
        var (model, free, userId) = (ScriptedModels.NewModel(), ScriptedModels.NewModel("free"), AdminClient.NewName("user"));
        await Race.TeachEveryEdgeAsync(cluster, model);
        await cluster.Admin.PostAsync(
            "/user/new", new { user_id = userId, auto_create_key = false, max_budget = 2 * ScriptedModels.Cost / 1_000_000_000m, budget_duration = "1y" });
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId });
        using var team = cluster.Team(key);

        var answers = await Race.PostAsync(team, TeamClient.Body(model, Race.Text), 50);

        Assert.Equal(2, Race.Answered(answers).Count);
        var refused = answers.First(static answer => answer.Status == 429);
        Assert.Equal("user", refused.Json.GetProperty("error").GetProperty("param").GetString());
        Assert.Contains($"It starts again at {DateTimeOffset.UtcNow.Year + 1}-01-01T00:00:00Z.", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0.0", refused.Message, StringComparison.Ordinal);

        var models = await team.GetAsync("/v1/models");
        models.IsOk();
        Assert.Contains(models.Json.GetProperty("data").EnumerateArray(), static listed => listed.GetProperty("id").GetString() == "second-1");
        var answered = await team.ChatAsync(free, Race.Text);
        answered.IsOk();
        Assert.Equal(0, answered.Cost);
        Assert.False(await cluster.Books.IsUnpricedAsync(answered.RequestId));

        // 48 refusals later: two calls that cost something, and the free one.
        await Eventually.Is(() => cluster.Books.UsageAsync(key.Id), static usage => usage == new Books.Tally(3, 2 * ScriptedModels.Cost), "what was answered is in the rows, and no refusal");
        Assert.Equal(2 * ScriptedModels.Cost / 1_000_000_000m, Spend(await cluster.Admin.GetAsync($"/key/info?key={key.Id}")));
    }

    [Fact]
    public async Task T12_a_model_without_a_price_is_flagged_and_where_the_configuration_says_so_refused()
    {
        var model = ScriptedModels.NewModel("unpriced");
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1m);
        using var team = cluster.Team(key);

        var answer = await team.ChatAsync(model);
        answer.IsOk();
        Assert.Equal(0, answer.Cost);
        Assert.True(await cluster.Books.IsUnpricedAsync(answer.RequestId));

        var configuration = await File.ReadAllTextAsync(cluster.Gateway.ConfigFile);
        var edges = await Race.AtEveryEdgeAsync(cluster, key);
        try
        {
            await File.WriteAllTextAsync(cluster.Gateway.ConfigFile, configuration + "\nunpriced_models: refuse\n");
            foreach (var edge in edges)
            {
                (await Eventually.Is(() => edge.ChatAsync(model), static answer => answer.Status != 200, "the edge has read the configuration")).IsError(400, "model_unpriced");
                (await edge.ChatAsync(ScriptedModels.NewModel("free"))).IsOk();
            }
        }
        finally
        {
            await File.WriteAllTextAsync(cluster.Gateway.ConfigFile, configuration);
            foreach (var edge in edges)
            {
                await Eventually.Is(() => edge.ChatAsync(model), static answer => answer.Status == 200, "the edge has read the configuration");
                edge.Dispose();
            }
        }
    }

    private static decimal Spend(JsonElement info) => info.GetProperty("info").GetProperty("spend").GetDecimal();
}
