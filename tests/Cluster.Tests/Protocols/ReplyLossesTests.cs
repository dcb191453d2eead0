using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>What a reply says and the client's format has no place for is named to the client.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class ReplyLossesTests(ProtocolsCluster cluster)
{
    private const string Asked = """{"model":"gemini","max_tokens":9,"messages":[{"role":"user","content":"?"}]}""";

    [Theory]
    [InlineData("/v1/chat/completions", "groundingMetadata")]
    [InlineData("/v1/messages", "groundingMetadata,images")]
    public async Task Losses_of_a_whole_reply_stand_in_a_header(string path, string lost)
    {
        cluster.Answer("gemini", Reply.Json(200, """
            {"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"]}}],
             "usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}
            """));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var got = await team.SendAsync(HttpMethod.Post, path, Asked);

        Assert.Equal((200, lost), (got.Status, got.Header("x-gateway-dropped-reply")));
    }

    [Fact]
    public async Task A_reply_that_is_said_whole_has_no_such_header()
    {
        cluster.Answer("gemini", Reply.Json(200, """
            {"candidates":[{"content":{"role":"model","parts":[{"text":"\"images\":[{"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}
            """));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", Asked);

        Assert.Equal((200, null), (got.Status, got.Header("x-gateway-dropped-reply")));
    }
}
