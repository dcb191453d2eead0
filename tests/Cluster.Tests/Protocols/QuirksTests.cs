using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>What a server that speaks OpenAI's chat does not take of it is not sent to it, whatever the client speaks.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class QuirksTests(ProtocolsCluster cluster)
{
    [Theory]
    [InlineData("groq", "groq")]
    [InlineData("groq", "groq-defaults")]
    [InlineData("databricks", "databricks")]
    [InlineData("deepseek", "deepseek")]
    [InlineData("deepseek", "deepseek-both-bounds")]
    public async Task A_request_of_chat_reaches_the_server_as_it_takes_it(string name, string recorded)
    {
        var test = Protocol.Quirky.Single(protocol => protocol.Name == name).Read("quirks", recorded);
        var request = test["request"]!.DeepClone();
        request["model"] = name;

        var (got, sent) = await AskAsync(name, "/v1/chat/completions", request);

        test["sent"]!["model"] = sent["model"]!.DeepClone();
        Assert.Equal(test["sent"]!.ToJsonString(), sent.ToJsonString());
        var dropped = test["dropped"]!.AsArray().Select(static item => (string)item!).ToList();
        Assert.Equal(dropped.Count == 0 ? null : string.Join(',', dropped), got.Header("x-gateway-dropped-params"));

        // Where nothing may be left out, the request is refused instead, and the server is not asked.
        request["model"] = name + "-strict";
        using var team = cluster.Team(ProtocolsCluster.Key);
        Assert.Equal(dropped.Count == 0 ? 200 : 400, (await team.PostAsync("/v1/chat/completions", request)).Status);
    }

    [Theory]
    [InlineData("groq", "/api/chat", """{"stream":false,"logprobs":true,"top_logprobs":2,"messages":[{"role":"user","content":"?"}]}""", "logprobs,top_logprobs", "model,stream,messages")]
    [InlineData("groq", "/v1/responses", """{"input":"?","max_output_tokens":9}""", null, "model,max_tokens,messages")]
    [InlineData("databricks", "/v1/messages", """{"stream":true,"max_tokens":9,"messages":[{"role":"user","content":"?"}]}""", null, "model,max_tokens,stream,messages")]
    [InlineData("databricks", "/v2/chat", """{"stream":true,"max_tokens":9,"messages":[{"role":"user","content":"?"}]}""", null, "model,max_tokens,stream,messages")]
    [InlineData("deepseek", "/v1/messages", """{"max_tokens":9,"messages":[{"role":"user","content":"?"}]}""", null, "model,max_tokens,messages")]
    [InlineData("deepseek", "/v1/responses", """{"max_output_tokens":9,"input":[{"role":"developer","content":"Be terse."},{"role":"user","content":"?"}]}""", null, "model,max_tokens,messages")]
    public async Task So_does_a_request_of_another_client(string name, string path, string asked, string? dropped, string members)
    {
        var request = JsonNode.Parse(asked)!;
        request["model"] = name;

        var (got, sent) = await AskAsync(name, path, request);

        Assert.Equal((200, dropped), (got.Status, got.Header("x-gateway-dropped-params")));
        Assert.Equal(members.Split(',').Order(StringComparer.Ordinal), sent.AsObject().Select(static member => member.Key).Order(StringComparer.Ordinal));
        Assert.All(sent["messages"]!.AsArray(), static message => Assert.NotEqual("developer", (string?)message!["role"]));
    }

    [Fact]
    public async Task A_server_without_quirks_is_sent_all_of_it()
    {
        var request = JsonNode.Parse("""{"model":"openai","messages":[{"role":"developer","name":"ann","content":"Be terse."}],"max_completion_tokens":9,"logprobs":true,"stream":true,"stream_options":{"include_usage":true}}""")!;

        var (_, sent) = await AskAsync("openai", "/v1/chat/completions", request);

        request["model"] = sent["model"]!.DeepClone();
        Assert.Equal(request.ToJsonString(), sent.ToJsonString());
    }

    private async Task<(Answer Got, JsonNode Sent)> AskAsync(string name, string path, JsonNode request)
    {
        cluster.Answer(name, (bool?)request["stream"] == true
            ? Reply.Events().Raw("data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
            : OpenAiReplies.Whole("m", "Hi", 1, 1));
        using var team = cluster.Team(ProtocolsCluster.Key);
        var before = cluster.Upstream.Requests.Count;

        var got = await team.PostAsync(path, request);

        Assert.True(got.Status == 200, got.Body);
        return (got, JsonNode.Parse(cluster.Upstream.Requests.Skip(before).Last(one => one.Path.EndsWith("/chat/completions", StringComparison.Ordinal)).Text)!);
    }
}
