using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>
/// Five hundred calls at once over three edges on a budget for exactly fifty, at every level that there is: fifty are answered, fifty reach the
/// provider, and the books say that the budget is spent to the last nano-dollar.
/// </summary>
[Collection(ScriptedCollection.Name)]
public sealed class EveryLevelRaceTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    private const int Calls = 500;
    private const int Affordable = 50;
    private const decimal Dollars = Affordable * ScriptedModels.Cost / 1_000_000_000m;

    [Theory]
    [InlineData("key")]
    [InlineData("user")]
    [InlineData("team")]
    [InlineData("team_member")]
    [InlineData("organization")]
    [InlineData("key_model")]
    [InlineData("user_model")]
    [InlineData("team_model")]
    public async Task T1_T3_of_500_calls_at_once_the_50_are_answered_that_the_budget_of_an_owner_pays_for(string level)
    {
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model);
        var (userId, teamId, organizationId) = (AdminClient.NewName("user"), AdminClient.NewName("team"), AdminClient.NewName("organization"));
        decimal? Of(string owner) => level == owner ? Dollars : null;
        var ofModel = new Dictionary<string, object> { [model] = new { max_budget = Dollars, budget_duration = "30d" } };
        object OfModel(string owner) => level == owner ? ofModel : new { };
        await cluster.Admin.PostAsync("/organization/new", new { organization_id = organizationId, max_budget = Of("organization") });
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, organization_id = organizationId, max_budget = Of("team"), model_max_budget = OfModel("team_model") });
        await cluster.Admin.PostAsync("/user/new", new { user_id = userId, max_budget = Of("user"), auto_create_key = false, model_max_budget = OfModel("user_model") });
        await cluster.Admin.PostAsync("/team/member_add", new { team_id = teamId, member = new { role = "user", user_id = userId }, max_budget_in_team = Of("team_member") });
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId, team_id = teamId, max_budget = Of("key"), model_max_budget = OfModel("key_model") });
        using var team = cluster.Team(key);

        var answers = await RaceAsync(level, team, model, TeamClient.Body(model, Race.Text));

        var named = Assert.Single(answers.Select(static answer => answer.Header("x-gateway-budget")!).Distinct());
        Assert.StartsWith($"{level}/", named, StringComparison.Ordinal);
        if (level.EndsWith("_model", StringComparison.Ordinal))
        {
            // The key is not stopped, only the model.
            var other = await team.ChatAsync(ScriptedModels.NewModel());
            Assert.True(other.Status == 200, other.Body);
            var refused = answers.First(static answer => answer.Status == 429).Json.GetProperty("error");
            Assert.Contains("for this model", refused.GetProperty("message").GetString()!, StringComparison.Ordinal);
            return;
        }

        await SpentAsync(named);
        var tightest = (await cluster.Admin.GetAsync($"/key/info?key={key.Id}")).GetProperty("info").GetProperty("tightest_budget");
        Assert.Equal((named, 0m), (tightest.GetProperty("budget_id").GetString(), tightest.GetProperty("left").GetDecimal()));
    }

    [Fact]
    public async Task T1_T3_and_so_it_is_with_the_budgets_that_administrators_define()
    {
        var deployment = await DeploymentAsync();
        var (endUser, tag) = (AdminClient.NewName("end-user"), AdminClient.NewName("env=dev"));
        var (model, teamA, teamB) = (ScriptedModels.NewModel(), AdminClient.NewName("department"), AdminClient.NewName("department"));
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamA });
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamB });
        var plain = await cluster.Admin.NewKeyAsync(new { });
        // One of the tags comes with the departments' keys, the other with each request.
        var ofA = await cluster.Admin.NewKeyAsync(new { team_id = teamA, tags = new[] { $"{tag}-shared" } });
        var ofB = await cluster.Admin.NewKeyAsync(new { team_id = teamB, tags = new[] { $"{tag}-shared" } });
        // The same bytes for all: what is expected of a call hangs on the length of its body.
        var body = TeamClient.Body(model, Race.Text);
        body["user"] = endUser;
        body["metadata"] = new JsonObject { ["tags"] = new JsonArray(tag, $"{tag}-a") };
        (string Id, object? AppliesTo, MadeKey[] Callers)[] levels =
        [
            ($"end_user/{endUser}", null, [plain]),
            ($"tag/{tag}", null, [plain]),
            ($"shared/{tag}", new { teams = new[] { teamA, teamB }, tags = new[] { $"{tag}-shared", $"{tag}-a" } }, [ofA, ofB]),
            ($"model/{model}", null, [plain]),
            ($"deployment/{deployment}", null, [plain]),
            ("provider/openai", null, [plain]),
            ("gateway/all", null, [plain]),
        ];
        foreach (var (id, appliesTo, _) in levels)
        {
            await cluster.Admin.PostAsync("/budget/new", new Dictionary<string, object?> { ["budget_id"] = id, ["max_budget"] = 1_000, ["applies_to"] = appliesTo }
                .Where(static field => field.Value is not null).ToDictionary());
        }

        try
        {
            foreach (var (id, _, callers) in levels)
            {
                // Every edge has heard of the budget when its answers are booked there, and has learned by then what a call costs.
                foreach (var caller in callers)
                {
                    foreach (var edge in await Race.AtEveryEdgeAsync(cluster, caller))
                    {
                        await CountedAsync(edge, body, id);
                        edge.Dispose();
                    }
                }

                var before = await AtRestAsync(id);
                await cluster.Admin.PostAsync("/budget/update", new { budget_id = id, max_budget = (before.Spent / 1_000_000_000m) + Dollars });
                var taught = cluster.Upstream.RequestsOf(model).Count;

                var teams = callers.Select(cluster.Team).ToList();
                var answers = (await Task.WhenAll(teams.Select(team => Race.PostAsync(team, body, Calls / teams.Count)))).SelectMany(static answer => answer);
                teams.ForEach(static team => team.Dispose());

                var answered = Race.Answered(answers).Count;
                var upstream = cluster.Upstream.RequestsOf(model).Count - taught;
                output.WriteLine($"{id}: {answered} answered, {upstream} reached the provider");
                Assert.Equal((id, Affordable, Affordable), (id, answered, upstream));
                await SpentAsync(id);
                await cluster.Admin.PostAsync("/budget/update", new { budget_id = id, max_budget = 1_000 });
            }
        }
        finally
        {
            foreach (var (id, _, _) in levels)
            {
                await cluster.Admin.PostAsync("/budget/delete", new { id });
            }
        }
    }

    [Fact]
    public async Task T7_at_least_98_percent_are_usable_before_the_first_refusal_with_calls_that_declare_800_times_what_they_use()
    {
        const int affordable = 500;
        const int declared = 800 * (int)ScriptedModels.OutputTokens;
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(affordable * ScriptedModels.Cost / 1_000_000_000m);
        using var team = cluster.Team(key);
        var (refused, answered) = (false, 0);

        await Task.WhenAll(Enumerable.Range(0, 24).Select(async _ =>
        {
            while (!Volatile.Read(ref refused))
            {
                var answer = await team.ChatAsync(model, Race.Text, declared);
                if (answer.Status == 200)
                {
                    Interlocked.Increment(ref answered);
                }
                else
                {
                    answer.IsError(429, "budget_exceeded");
                    Volatile.Write(ref refused, true);
                }
            }
        }));

        output.WriteLine($"{answered} of {affordable} calls were answered when one was refused");
        Assert.InRange(answered, affordable * 98 / 100, affordable);
        await cluster.Books.AtRestAsync(key.Id, answered, $"user/{userId}");
    }

    private async Task<IReadOnlyList<Answer>> RaceAsync(string level, TeamClient team, string model, JsonObject body)
    {
        var before = cluster.Upstream.RequestsOf(model).Count;
        var answers = await Race.PostAsync(team, body, Calls);
        var answered = Race.Answered(answers).Count;
        var upstream = cluster.Upstream.RequestsOf(model).Count - before;
        output.WriteLine($"{level}: {answered} answered, {upstream} reached the provider");
        Assert.Equal((level, Affordable, Affordable), (level, answered, upstream));
        return answers;
    }

    /// <summary>Calls until an answer was booked in the window: an edge that has not heard yet that the budget before it was raised still refuses.</summary>
    private Task<bool> CountedAsync(TeamClient edge, JsonObject body, string windowId) => Eventually.Is(
        async () => await edge.PostAsync("/v1/chat/completions", body) is { Status: 200 } answer
            && (await cluster.Books.WindowsOfAsync(answer.RequestId)).Contains(windowId, StringComparer.Ordinal),
        static counted => counted,
        $"the edge counts in {windowId}");

    private async Task<Books.RedisWindow> AtRestAsync(string windowId) => (await Eventually.Is(
        () => cluster.Books.WindowAsync(windowId), static window => window is { Leased: 0 }, $"nothing is leased of {windowId}"))!;

    private async Task SpentAsync(string windowId)
    {
        var window = await AtRestAsync(windowId);
        Assert.Equal(window.Limit, window.Spent);
    }

    private async Task<string> DeploymentAsync()
    {
        using var team = cluster.Team(await cluster.Admin.NewKeyAsync(new { }));
        return (await team.ChatAsync(ScriptedModels.NewModel())).Header("x-litellm-model-id")!;
    }
}
