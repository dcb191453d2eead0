using System.Diagnostics;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Admin;

/// <summary>A key's life over three edges: made, used, looked at, deleted. What an administrator does holds on every edge within a second.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class KeyLifeTests(ScriptedCluster cluster)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_key_is_made_used_billed_and_looked_at()
    {
        var model = ScriptedModels.NewModel();
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("life"), max_budget = 1.5m, models = new[] { "s-*" } });
        using var team = cluster.Team(key);
        for (var i = 0; i < 3; i++)
        {
            (await team.ChatAsync(model)).IsOk();
        }

        (await team.ChatAsync("second-1")).IsError(403, "model_access_denied");
        await cluster.Books.AtRestAsync(key.Id, 3, $"key/{key.Id}");
        var info = (await cluster.Admin.GetAsync($"/key/info?key={key.Key}")).GetProperty("info");
        Assert.Equal(3 * ScriptedModels.Cost / 1_000_000_000m, info.GetProperty("spend").GetDecimal());
        Assert.Equal(1.5m, info.GetProperty("max_budget").GetDecimal());

        // Its holder may look too, and sees nobody else's.
        (await team.GetAsync("/key/info")).IsOk();
        var other = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("other") });
        Assert.InRange((await team.GetAsync($"/key/info?key={other.Id}")).Status, 403, 404);
        Assert.Equal(403, (await team.PostAsync("/key/generate", new System.Text.Json.Nodes.JsonObject())).Status);
    }

    [Fact]
    public async Task A_deleted_key_stops_on_every_edge_within_a_second() =>
        await StopsWithinASecondAsync("invalid_api_key", key => cluster.Admin.PostAsync("/key/delete", new { keys = new[] { key.Key } }));

    [Fact]
    public async Task A_blocked_key_stops_on_every_edge_within_a_second() =>
        await StopsWithinASecondAsync("api_key_blocked", key => cluster.Admin.PostAsync("/key/block", new { key = key.Key }));

    private async Task StopsWithinASecondAsync(string code, Func<MadeKey, Task> stop)
    {
        var model = ScriptedModels.NewModel();
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("stops") });
        var edges = (await cluster.Gateway.ProgramsAsync()).Where(static program => program.Resource == "edge")
            .Select(edge => new TeamClient(new Uri(edge.Endpoints[0]).Port, key.Key)).ToList();
        Assert.Equal(3, edges.Count);
        foreach (var edge in edges)
        {
            (await edge.ChatAsync(model)).IsOk();
        }

        await stop(key);
        var stopped = Stopwatch.GetTimestamp();

        // A call that began within the second may still be answered; one that begins after it may not.
        await Task.WhenAll(edges.Select(async edge =>
        {
            while (true)
            {
                var began = Stopwatch.GetElapsedTime(stopped);
                var answer = await edge.ChatAsync(model);
                if (answer.Status != 200)
                {
                    answer.IsError(401, code);
                    return;
                }

                Assert.True(began < Within, $"Answered {began.TotalSeconds:0.00} s after the key was stopped.");
            }
        }));
        edges.ForEach(static edge => edge.Dispose());
    }
}
