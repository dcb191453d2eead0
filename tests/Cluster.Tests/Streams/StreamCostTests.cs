using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>Where the configuration says so, a stream's last usage has what the request cost, whatever protocol it came from and goes to.</summary>
[Collection(ClientsCollection.Name)]
public sealed class StreamCostTests(ClientsCluster cluster)
{
    public static TheoryData<string> Models => new(ClientsCluster.Models);

    /// <summary>Each surface to each model: some pass as they came, others are translated.</summary>
    public static TheoryData<string, string> Surfaces
    {
        get
        {
            var surfaces = new TheoryData<string, string>();
            foreach (var model in ClientsCluster.Models)
            {
                surfaces.Add("/v1/messages", model);
                surfaces.Add("/v1/responses", model);
                surfaces.Add("/v1/completions", model);
                surfaces.Add("/v2/chat", model);
                surfaces.Add("/api/chat", model);
            }

            return surfaces;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task T32_The_cost_comes_with_the_stream_and_is_the_one_that_is_booked(string model)
    {
        using var team = cluster.Team(ClientsCluster.Key);

        await using var stream = await team.StreamAsync(model, "What does it cost?", withUsage: true);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        var cost = (long)(stream.Usage!.Value.GetProperty("cost").GetDecimal() * 1_000_000_000);
        Assert.True(cost > 0);
        Assert.Equal((await cluster.Books.RowOfAsync(stream.RequestId)).Cost, cost);
    }

    [Theory]
    [MemberData(nameof(Surfaces))]
    public async Task T32_And_so_it_does_on_every_other_surface(string path, string model)
    {
        using var team = cluster.Team(ClientsCluster.Key);
        var body = TeamClient.Body(model, "What does it cost?", maxTokens: 100);
        body["stream"] = true;
        switch (path)
        {
            case "/v1/responses":
                body = new JsonObject { ["model"] = model, ["input"] = "What does it cost?", ["stream"] = true };
                break;
            case "/v1/completions":
                body = new JsonObject { ["model"] = model, ["prompt"] = "What does it cost?", ["stream"] = true, ["stream_options"] = new JsonObject { ["include_usage"] = true } };
                break;
        }

        var answer = await team.PostAsync(path, body);

        Assert.True(answer.Status == 200, answer.Body);
        var costs = answer.Body.Split('\n').Select(static line => line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : line)
            .Where(static line => line.StartsWith('{')).Select(static line => Cost(JsonElement.Parse(line))).Where(static cost => cost is not null).ToList();
        var cost = (long)(Assert.Single(costs)!.Value * 1_000_000_000);
        Assert.Equal((await cluster.Books.RowOfAsync(answer.RequestId)).Cost, cost);
        Assert.True(cost > 0);
    }

    private static decimal? Cost(JsonElement data) =>
        data.TryGetProperty("response", out var response) ? Cost(response)
        : data.TryGetProperty("delta", out var delta) && delta.ValueKind == JsonValueKind.Object && delta.TryGetProperty("usage", out _) ? Cost(delta)
        : data.TryGetProperty("eval_count", out _) && data.TryGetProperty("cost", out var ofLine) ? ofLine.GetDecimal()
        : data.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object && usage.TryGetProperty("cost", out var cost) ? cost.GetDecimal()
        : null;
}
