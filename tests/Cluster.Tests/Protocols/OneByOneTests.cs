using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>A list of texts for a model that embeds one in a call.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class OneByOneTests(ProtocolsCluster cluster)
{
    [Theory]
    [InlineData("/v1/embeddings", "input")]
    [InlineData("/api/embed", "input")]
    [InlineData("/v2/embed", "texts")]
    public async Task A_list_of_texts_is_a_call_for_each_and_one_request_in_the_books(string path, string member)
    {
        cluster.Answer("bedrock-titan", Reply.Json(200, """{"embedding":[0.5,-0.25],"inputTextTokenCount":2}"""));
        using var team = cluster.Team(ProtocolsCluster.Key);
        var before = cluster.Upstream.Requests.Count;

        var answer = await team.PostAsync(path, new JsonObject { ["model"] = "bedrock-titan", [member] = new JsonArray("north", "south", "west") });

        answer.IsOk();
        Assert.Equal(["north", "south", "west"], cluster.Upstream.Requests.Skip(before).Select(static request => request.Json.GetProperty("inputText").GetString()).Order());
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        Assert.Equal((6, false), (row.Input, row.Estimated));
    }

    [Fact]
    public async Task An_error_of_one_is_the_requests()
    {
        cluster.Answer("bedrock-titan", Reply.Json(400, """{"message":"Too many input tokens."}"""));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var answer = await team.PostAsync("/v1/embeddings", new JsonObject { ["model"] = "bedrock-titan", ["input"] = new JsonArray("north", "south") });

        Assert.Equal((400, "Too many input tokens."), (answer.Status, answer.Json.GetProperty("error").GetProperty("message").GetString()));
    }
}
