using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary><c>end_user/*</c>: a budget for each end user that calls, from its first request on, over three edges.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class EndUserBudgetsTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    private const string Everyone = "end_user/*";

    [Fact]
    public async Task T2_of_500_first_calls_at_once_of_end_users_that_nobody_knows_each_has_the_50_that_its_budget_pays_for()
    {
        var (model, key) = (ScriptedModels.NewModel(), await cluster.Admin.NewKeyAsync(new { }));
        await using var budget = await DefineAsync(Dollars(50), "1mo", model, key);
        using var team = cluster.Team(key);
        var (ann, bob) = (AdminClient.NewName("end-user"), AdminClient.NewName("end-user"));
        var before = cluster.Upstream.RequestsOf(model).Count;

        var races = await Task.WhenAll(new[] { ann, bob }.Select(endUser => Race.PostAsync(team, Body(model, endUser), 250)));

        Assert.All(races, static answers => Assert.Equal(50, Race.Answered(answers).Count));
        Assert.Equal(100, cluster.Upstream.RequestsOf(model).Count - before);
        var refused = races[0].First(static answer => answer.Status == 429);
        Assert.Equal($"end_user/{ann}", refused.Header("x-gateway-budget"));
        Assert.Contains("of this end user", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task T11_and_it_starts_again_with_each_period()
    {
        var (model, key) = (ScriptedModels.NewModel(), await cluster.Admin.NewKeyAsync(new { }));
        await using var budget = await DefineAsync(Dollars(3), "5s", model, key);
        using var team = cluster.Team(key);
        var body = Body(model, AdminClient.NewName("end-user"));
        var (answered, refused) = (new List<Answer>(), 0);
        await Eventually.Is(
            async () =>
            {
                var answers = await Race.PostAsync(team, body, 6);
                answered.AddRange(Race.Answered(answers));
                refused += answers.Count(static answer => answer.Status == 429);
                return answered.Count;
            },
            static count => count > 9,
            "four periods had their calls");

        var windows = new List<string>();
        foreach (var answer in answered)
        {
            windows.AddRange((await cluster.Books.WindowsOfAsync(answer.RequestId)).Where(static window => window.StartsWith("end_user/", StringComparison.Ordinal)));
        }

        output.WriteLine(string.Join(", ", windows.CountBy(static window => window).Select(static window => $"{window.Key}: {window.Value}")));
        Assert.Equal(answered.Count, windows.Count);
        Assert.All(windows.CountBy(static window => window), static window => Assert.InRange(window.Value, 1, 3));
        Assert.True(refused > 0);
    }

    private static decimal Dollars(int calls) => calls * ScriptedModels.Cost / 1_000_000_000m;

    private static JsonObject Body(string model, string endUser)
    {
        var body = TeamClient.Body(model, Race.Text);
        body["user"] = endUser;
        return body;
    }

    /// <summary>Defines it, and returns when every edge has heard and knows what a call costs. Disposing takes it away.</summary>
    private async Task<IAsyncDisposable> DefineAsync(decimal dollars, string period, string model, MadeKey key)
    {
        await cluster.Admin.PostAsync("/budget/new", new { budget_id = Everyone, max_budget = dollars, budget_duration = period });
        var defined = new Defined(cluster.Admin);
        foreach (var edge in await Race.AtEveryEdgeAsync(cluster, key))
        {
            using (edge)
            {
                await Eventually.Holds(
                    async () =>
                    {
                        var answer = await edge.PostAsync("/v1/chat/completions", Body(model, AdminClient.NewName("end-user")));
                        answer.IsOk();
                        var windows = (await cluster.Books.WindowsOfAsync(answer.RequestId)).Where(static window => window.StartsWith("end_user/", StringComparison.Ordinal)).ToList();
                        return windows.Count == 1 && windows[0].Contains($"@{period}@", StringComparison.Ordinal);
                    },
                    "the edge counts end users");
            }
        }

        return defined;
    }

    private sealed class Defined(AdminClient admin) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await admin.PostAsync("/budget/delete", new { id = Everyone });
    }
}
