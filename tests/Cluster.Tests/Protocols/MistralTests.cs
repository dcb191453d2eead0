using System.Text;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>Mistral's models that reason say it as a list; clients of every surface find the text where it belongs, and the thoughts beside it.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class MistralTests(ProtocolsCluster cluster)
{
    private const string Thought = """[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]""";

    [Fact]
    public async Task A_whole_answer_has_its_text_and_its_thoughts()
    {
        cluster.Answer("mistral", Reply.Json(200, """
            {"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]},{"type":"text","text":"Yes."}]},
             "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}
            """));
        using var team = cluster.Team(ProtocolsCluster.Key);

        var chat = await team.ChatAsync("mistral");
        var message = await team.SendAsync(HttpMethod.Post, "/v1/messages", """{"model":"mistral","max_tokens":9,"messages":[{"role":"user","content":"?"}]}""");

        Assert.Equal("Yes.", chat.Text);
        Assert.Equal("Hm.", chat.Json.GetProperty("choices")[0].GetProperty("message").GetProperty("reasoning_content").GetString());
        Assert.Equal(["Hm.", "Yes."], message.Json.GetProperty("content").EnumerateArray()
            .Select(static block => block.GetProperty(block.GetProperty("type").GetString()!).GetString()));
    }

    [Fact]
    public async Task A_stream_has_its_text_and_its_thoughts()
    {
        var stream = new StringBuilder();
        foreach (var (delta, finish) in ((string, string)[])[(Thought, "null"), ("\"Yes.\"", "null"), ("\"\"", "\"stop\"")])
        {
            stream.Append($$"""data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":{{delta}}},"finish_reason":{{finish}}}]}""").Append("\n\n");
        }

        cluster.Answer("mistral", Reply.Events().Raw(stream.Append("data: [DONE]\n\n").ToString()));
        using var team = cluster.Team(ProtocolsCluster.Key);

        await using var chat = await team.StreamAsync("mistral");
        await chat.ToEndAsync();
        var message = await team.SendAsync(HttpMethod.Post, "/v1/messages", """{"model":"mistral","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"?"}]}""");

        Assert.True(chat.IsDone);
        Assert.Equal("Yes.", chat.Text);
        Assert.Equal("Hm.", chat.Chunks.First().GetProperty("choices")[0].GetProperty("delta").GetProperty("reasoning_content").GetString());
        Assert.Contains("\"thinking_delta\",\"thinking\":\"Hm.\"", message.Body, StringComparison.Ordinal);
        Assert.Contains("\"text_delta\",\"text\":\"Yes.\"", message.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_Mistral_refuses_is_renamed_or_left_out_and_named()
    {
        cluster.Answer("mistral", Reply.Json(200, """
            {"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}
            """));
        var before = cluster.Upstream.Requests.Count;
        using var team = cluster.Team(ProtocolsCluster.Key);

        var got = await team.SendAsync(HttpMethod.Post, "/v1/chat/completions", """
            {"model":"mistral","max_completion_tokens":9,"store":true,"messages":[{"role":"user","content":"?"},{"role":"assistant","content":"a","reasoning_content":"hm","refusal":null},{"role":"user","content":"b"}]}
            """);

        Assert.Equal((200, "store,messages.reasoning_content"), (got.Status, got.Header("x-gateway-dropped-params")));
        Assert.Equal(
            """{"model":"mistral-large-latest","max_tokens":9,"messages":[{"role":"user","content":"?"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}""",
            JsonNode.Parse(cluster.Upstream.Requests[before].Text)!.ToJsonString());
    }
}
