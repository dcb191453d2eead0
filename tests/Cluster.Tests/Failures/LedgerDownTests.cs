using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Ledger, who alone knows which budgets administrators made, is away.</summary>
[Collection(FailureCollection.Name)]
public sealed class LedgerDownTests(FailureCluster cluster)
{
    [Fact]
    public async Task An_edge_that_is_started_again_meanwhile_goes_on_with_the_budgets_that_were_known()
    {
        await cluster.Gateway.IsWholeAsync();
        var (model, tag) = (ScriptedModels.NewModel(), AdminClient.NewName("tag"));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        await cluster.Admin.PostAsync("/budget/new", new { budget_id = $"tag/{tag}", max_budget = ScriptedModels.Cost / 1_000_000_000m });
        var tagged = TeamClient.Body(model, Race.Text);
        tagged["metadata"] = new JsonObject { ["tags"] = new JsonArray(tag) };
        using (var before = await cluster.AtEdgeAsync(key))
        {
            await Eventually.Is(() => before.PostAsync("/v1/chat/completions", tagged), static answer => answer.Status == 429, "the tag's budget is used up");
        }

        await Eventually.Holds(
            async () => (await File.ReadAllTextAsync(Directory.GetFiles(cluster.Gateway.DataFolder, "budgets.json", SearchOption.AllDirectories).Single())).Contains(tag, StringComparison.Ordinal),
            "the edge has written down which budgets there are");

        await using (await cluster.Gateway.FreezeAsync("ledger"))
        {
            await cluster.Gateway.KillAsync("edge-1");
            using var team = await cluster.AtEdgeAsync(key);
            (await team.PostAsync("/v1/chat/completions", tagged)).IsError(429, "budget_exceeded");
            (await team.ChatAsync(model, Race.Text)).IsOk();
        }

        await cluster.Admin.PostAsync("/budget/delete", new { id = $"tag/{tag}" });
        await cluster.Gateway.IsWholeAsync();
    }
}
