using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>What a reply says and the client's format has no place for is named to the client.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class ReplyLossesTests(ProtocolsCluster cluster)
{
    private const string Asked = """{"model":"gemini","max_tokens":9,"messages":[{"role":"user","content":"?"}]}""";

    [Theory]
    [InlineData("/v1/chat/completions", "webSearchQueries")]
    [InlineData("/v1/responses", "webSearchQueries,images")]
    [InlineData("/v1/messages", "webSearchQueries,images,annotations")]
    public async Task Losses_of_a_whole_reply_stand_in_a_header(string path, string lost)
    {
        cluster.Answer("gemini", Reply.Json(200, """
            {"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"],
              "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[{"segment":{"endIndex":2,"text":"Hi"},"groundingChunkIndices":[0]}]}}],
             "usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}
            """));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var got = await team.SendAsync(HttpMethod.Post, path, path == "/v1/responses" ? """{"model":"gemini","input":"?"}""" : Asked);

        Assert.Equal((200, lost), (got.Status, got.Header("x-gateway-dropped-reply")));
        Assert.Equal(!lost.Contains("annotations", StringComparison.Ordinal), got.Body.Contains("https://a.example", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "citations")]
    [InlineData("/v1/responses", "citations")]
    [InlineData("/v2/chat", "citations,annotations")]
    [InlineData("/api/chat", "citations,annotations")]
    [InlineData("/v1/completions", "citations,annotations")]
    [InlineData("/v1beta/models/anthropic:generateContent", "citations,annotations")]
    public async Task What_a_reply_cites_is_said_or_named(string path, string lost)
    {
        cluster.Answer("anthropic", Reply.Json(200, """
            {"id":"msg_1","type":"message","role":"assistant","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1},"content":[{"type":"text","text":"Hi","citations":[
             {"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"x","cited_text":"y"},{"type":"page_location","cited_text":"y","document_index":0,"document_title":null,"start_page_number":1,"end_page_number":2}]}]}
            """));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var got = await team.SendAsync(HttpMethod.Post, path, path[(path.LastIndexOf('/') + 1)..] switch
        {
            "responses" => """{"model":"anthropic","input":"?"}""",
            "completions" when !path.Contains("chat", StringComparison.Ordinal) => """{"model":"anthropic","prompt":"?"}""",
            "chat" or "completions" => """{"model":"anthropic","stream":false,"messages":[{"role":"user","content":"?"}]}""",
            _ => """{"contents":[{"parts":[{"text":"?"}]}]}""",
        });

        Assert.Equal((200, lost), (got.Status, got.Header("x-gateway-dropped-reply")));
        Assert.Equal(!lost.Contains("annotations", StringComparison.Ordinal), got.Body.Contains("https://a.example", StringComparison.Ordinal));
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
