using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Accounting;

/// <summary>Vectors whose provider does not say what it read are not free: they are counted, and marked.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class EmbeddingsUsageTests(ScriptedCluster cluster)
{
    [Theory]
    [InlineData(""","usage":{"prompt_tokens":7,"total_tokens":7}""", false)]
    [InlineData(""","usage":{"prompt_tokens":0,"total_tokens":0}""", true)]
    [InlineData("", true)]
    public async Task What_is_reported_is_charged_and_what_is_not_or_is_nothing_is_counted(string usage, bool estimated)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, Reply.Json(200, $$$"""{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.1]}]{{{usage}}}}"""));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var answer = await team.PostAsync("/v1/embeddings", new JsonObject { ["model"] = model, ["input"] = "north of the river" });

        answer.IsOk();
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        Assert.Equal((estimated, row.Input * ScriptedModels.InputPrice, answer.Cost), (row.Estimated, row.Cost, row.Cost));
        Assert.True(estimated ? row.Input > 0 : row.Input == 7);
    }
}
