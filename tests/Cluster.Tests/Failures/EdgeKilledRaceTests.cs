using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.Launcher.Servers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Three edges race for one budget, and one of them is killed in the middle: whatever level the budget is at, it is never over.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class EdgeKilledRaceTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    private const int Calls = 500;
    private const int Affordable = 50;
    private const decimal Dollars = Affordable * ScriptedModels.Cost / 1_000_000_000m;

    [Theory]
    [InlineData("key", "edge-1")]
    [InlineData("team", "edge-2")]
    [InlineData("organization", "edge-3")]
    public async Task Of_500_calls_at_once_no_more_than_the_50_that_it_pays_for_reach_the_provider_and_are_booked(string level, string edge)
    {
        await cluster.Gateway.IsWholeAsync();
        var model = ScriptedModels.NewModel();
        await Race.TeachEveryEdgeAsync(cluster, model);
        var taught = cluster.Upstream.RequestsOf(model).Count;
        var gate = Race.Gate(cluster.Upstream, model);
        var (teamId, organizationId) = (AdminClient.NewName("team"), AdminClient.NewName("organization"));
        decimal? Of(string owner) => level == owner ? Dollars : null;
        await cluster.Admin.PostAsync("/organization/new", new { organization_id = organizationId, max_budget = Of("organization") });
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, organization_id = organizationId, max_budget = Of("team") });
        var key = await cluster.Admin.NewKeyAsync(new { team_id = teamId, max_budget = Of("key") });
        var window = level switch { "key" => $"key/{key.Id}", "team" => $"team/{teamId}", _ => $"organization/{organizationId}" };
        var edges = await Race.AtEveryEdgeAsync(cluster, key);

        var race = Task.WhenAll(Enumerable.Range(0, Calls).Select(async number =>
        {
            try
            {
                return await edges[number % edges.Count].ChatAsync(model, Race.Text);
            }
            catch (HttpRequestException)
            {
                // The edge that was killed.
                return null;
            }
        }));
        await cluster.Upstream.WaitForRequestsAsync(model, taught + (Affordable / 2));
        var restarts = (await cluster.Gateway.ProgramAsync(edge)).Restarts;
        await cluster.Gateway.SendAsync(edge, Signal.Kill);
        gate.SetResult();
        var answers = (await race).OfType<Answer>().ToList();
        var upstream = cluster.Upstream.RequestsOf(model).Count - taught;

        var answered = answers.Where(static answer => answer.Status == 200).Select(static answer => answer.RequestId).ToList();
        output.WriteLine($"{level}: answered {answered.Count}, reached the provider {upstream}");
        Assert.InRange(upstream, Affordable / 2, Affordable);
        await cluster.Gateway.IsBackAsync(edge, restarts);
        var books = await cluster.Books.HaveAllAsync(key.Id, answered, window, Failure.Limit);
        output.WriteLine($"{books}");
        Assert.True(books.Window!.Spent <= books.Window.Limit, $"Overspent: {books.Window}");
        Assert.InRange(books.Usage.Rows, answered.Count, Affordable);
        foreach (var team in edges)
        {
            team.Dispose();
        }
    }
}
