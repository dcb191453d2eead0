using System.Text;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>Anthropic's client and Claude on Vertex AI, where the bytes pass, and on Bedrock, where Converse has a place for all that matters (T-76).</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class ClaudeInCloudsTests(ProtocolsCluster cluster)
{
    private const string Turns = """
        "system":[{"type":"text","text":"Long.","cache_control":{"type":"ephemeral","ttl":"1h"}}],"thinking":{"type":"enabled","budget_tokens":2000},
        "tools":[{"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],
        "messages":[{"role":"user","content":"go"},
         {"role":"assistant","content":[{"type":"thinking","thinking":"H\u006d","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="},{"type":"tool_use","id":"t1","name":"f","input":{}}]},
         {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}],
          "cache_control":{"type":"ephemeral"}}]}]
        """;

    [Theory]
    [InlineData(false, ":rawPredict")]
    [InlineData(true, ":streamRawPredict")]
    public async Task T76_On_Vertex_AI_the_bytes_pass(bool stream, string verb)
    {
        var anthropic = Protocol.Of("vertexclaude");
        var answer = stream ? anthropic.StreamBytes("thinking") : Encoding.UTF8.GetBytes("""{ "id":"msg_1", "content":[{"type":"text","text":"Caf\u00e9"}],"field_of_tomorrow":1,"usage":{"input_tokens":3,"output_tokens":4}}""");
        cluster.Answer("vertexclaude", stream ? Reply.Stream("text/event-stream").Raw(answer) : Reply.Bytes(200, "application/json", answer));
        using var team = cluster.Team(ProtocolsCluster.Key);
        var before = cluster.Upstream.Requests.Count;
        var rest = $"\"max_tokens\": 5000 , \"field_of_tomorrow\":[1,2.50],\"stream\":{(stream ? "true" : "false")},{Turns}";

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", $$"""{"model":"vertexclaude", {{rest}}}""", default, ("anthropic-beta", "one-2025-01-01"));

        Assert.Equal((200, Encoding.UTF8.GetString(answer)), (got.Status, got.Body));
        var received = cluster.Upstream.Requests[before];
        Assert.Equal("/vertexclaude/v1/projects/p/locations/r/publishers/anthropic/models/claude-sonnet-4-5@20250929" + verb, received.Path);
        Assert.Equal(("Bearer ya29.token", "one-2025-01-01"), (received.Headers["Authorization"], received.Headers["anthropic-beta"]));
        Assert.DoesNotContain("x-api-key", received.Headers.Keys);
        var sent = JsonNode.Parse(received.Text)!.AsObject();
        Assert.True(sent.Remove("anthropic_version", out var version));
        Assert.Equal("vertex-2023-10-16", (string?)version);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("{" + rest + "}"), sent), received.Text);
        Assert.Contains("\"H\\u006d\"", received.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_Vertex_AI_tokens_are_counted_there_and_errors_are_Anthropics()
    {
        using var team = cluster.Team(ProtocolsCluster.Key);
        var before = cluster.Upstream.Requests.Count;
        cluster.Answer("vertexclaude", Reply.Json(200, """{"input_tokens":77}"""));
        var counted = await team.SendAsync(HttpMethod.Post, "/v1/messages/count_tokens", """{"model":"vertexclaude","messages":[{"role":"user","content":"x"}]}""");

        cluster.Answer("vertexclaude", Reply.Json(400, """[{"error":{"code":400,"message":"max_tokens is too large.","status":"INVALID_ARGUMENT"}}]"""));
        var refused = await team.SendAsync(HttpMethod.Post, "/v1/messages", """{"model":"vertexclaude","max_tokens":9,"messages":[{"role":"user","content":"x"}]}""");

        Assert.Equal("""{"input_tokens":77}""", counted.Body);
        var asked = cluster.Upstream.Requests[before];
        Assert.EndsWith("/publishers/anthropic/models/count-tokens:rawPredict", asked.Path, StringComparison.Ordinal);
        Assert.Equal(("claude-sonnet-4-5@20250929", "Bearer ya29.token"), (asked.Json.GetProperty("model").GetString(), asked.Headers["Authorization"]));
        Assert.Equal(400, refused.Status);
        Assert.Equal(("error", "invalid_request_error", "max_tokens is too large."),
            (refused.Json.GetProperty("type").GetString(), refused.Json.GetProperty("error").GetProperty("type").GetString(), refused.Json.GetProperty("error").GetProperty("message").GetString()));
    }

    [Theory]
    [InlineData("bedrock")]
    [InlineData("bedrock-profile")]
    public async Task T76_On_Bedrock_cache_marks_signatures_hidden_thinking_and_results_of_tools_go_both_ways(string model)
    {
        cluster.Answer(model, Protocol.Of("bedrock").Reply("reply", "thinking"));
        using var team = cluster.Team(ProtocolsCluster.Key);
        var before = cluster.Upstream.Requests.Count;

        var got = await team.SendAsync(HttpMethod.Post, "/v1/messages", $$"""{"model":"{{model}}","max_tokens":5000,{{Turns}}}""");

        got.IsOk();
        Assert.Null(got.Header("x-gateway-dropped-params"));
        var sent = JsonNode.Parse(cluster.Upstream.Requests[before].Text)!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"messages":[{"role":"user","content":[{"text":"go"}]},
              {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"eA=="}},{"toolUse":{"toolUseId":"t1","name":"f","input":{}}}]},
              {"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"no"},{"image":{"format":"png","source":{"bytes":"iVBO"}}}],"status":"error"}},{"cachePoint":{"type":"default"}}]}],
             "system":[{"text":"Long."},{"cachePoint":{"type":"default","ttl":"1h"}}],
             "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},"inferenceConfig":{"maxTokens":5000},
             "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}]}}
            """), sent), sent.ToJsonString());

        var recorded = Protocol.Of("bedrock").Read("reply", "thinking")["message"]!["thinking_blocks"]!.AsArray();
        var content = JsonNode.Parse(got.Body)!["content"]!.AsArray();
        Assert.NotEmpty(recorded);
        Assert.All(recorded.Zip(content), static pair => Assert.True(JsonNode.DeepEquals(pair.First, pair.Second)));
    }
}
