using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Messages;

public sealed class MessagesRequestTests
{
    [Fact]
    public void T76_SystemToolsResultsAndPictures_AreSaidInOpenAisWords()
    {
        var said = Said("""
            {"model":"m","max_tokens":9,"system":[{"type":"text","text":"Be terse.","cache_control":{"type":"ephemeral"}}],"stop_sequences":["x"],"metadata":{"user_id":"u"},
             "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"integer"}}}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
             "messages":[
              {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
              {"role":"assistant","content":[{"type":"text","text":"ok"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"two"}]},{"type":"text","text":"and?"}]}]}
            """);

        const string expected = """
            {"model":"m","max_tokens":9,"stop":["x"],"user":"u","messages":[{"role":"system","content":"Be terse."},
            {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
            {"role":"assistant","content":"ok","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
            {"role":"tool","tool_call_id":"t1","content":"two"},{"role":"user","content":"and?"}],
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],
            "tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}
            """;
        Assert.Equal(expected.Replace("\n", "", StringComparison.Ordinal), said);
    }

    [Fact]
    public void NamesThatACallerMadeUp_AreKeptAsManyAsTheHeaderShows()
    {
        var dropped = new List<string>();
        var names = string.Join(',', Enumerable.Range(0, 1000).Select(static number => $"\"n{number}\":1"));

        Said($$"""{"model":"m","messages":[],"output_config":{"twice":1,"twice":2,{{names}}},{{names}}}""", "openai", dropped);

        Assert.Equal(DroppedFields.NamesMax, dropped.Distinct().Count());
        Assert.Equal(DroppedFields.NamesMax, dropped.Count);
    }

    [Fact]
    public void ServerTools_AndMissingMessages_AreRefused()
    {
        Assert.Equal("tools", Assert.Throws<UntranslatableRequestException>(
            () => Said("""{"model":"m","messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}""")).Param);
        Assert.Equal("messages", Assert.Throws<UntranslatableRequestException>(() => Said("""{"model":"m"}""")).Param);
    }

    [Fact]
    public void ARequestOfAnthropicsClient_IsReadByTheFlow()
    {
        var said = Said("""{"model":"gpt-4","max_tokens":1000,"messages":[{"role":"user","content":"How is the weather?"}],"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]}""");

        Assert.Null(Gateway.Edge.Flow.RequestHead.TryRead(Encoding.UTF8.GetBytes(said), out var head));
        Assert.Equal("gpt-4", head.ModelName);
    }

    [Theory]
    [InlineData("openai", false, "cache_control,messages.content.is_error,messages.content.thinking,thinking,top_k")]
    [InlineData("gemini", false, "cache_control,messages.content.is_error,messages.content.thinking,metadata.user_id")]
    [InlineData("anthropic", true, "")]
    [InlineData("bedrock", true, "metadata.user_id", "anthropic.claude-sonnet-4-5-20250929-v1:0")]
    public void T76_CacheMarksAndSignedThinking_ReachWhoKnowsThem_AndAreNamedElsewhere(string protocol, bool knows, string lost, string model = "gpt-4")
    {
        var dropped = new List<string>();
        var said = JsonNode.Parse(Said("""
            {"model":"m","max_tokens":9,"top_k":4,"metadata":{"user_id":"u"},"thinking":{"type":"enabled","budget_tokens":4000},
             "system":[{"type":"text","text":"Long.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
             "messages":[{"role":"user","content":"go"},
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="},{"type":"tool_use","id":"t1","name":"f","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"no"}]}]}
            """, protocol, dropped, model))!;

        Assert.Equal(lost, string.Join(',', dropped.Order(StringComparer.Ordinal)));
        var turns = said["messages"]!;
        Assert.Equal(knows, turns[0]!["content"] is JsonArray);
        Assert.Equal(knows ? "1h" : null, knows ? (string?)turns[0]!["content"]![0]!["cache_control"]!["ttl"] : null);
        Assert.Equal(knows ? 2 : null, turns[2]!["thinking_blocks"]?.AsArray().Count);
        Assert.Equal(knows, (bool?)turns[3]!["is_error"] ?? false);
        Assert.Equal(knows, said["thinking"] is not null);
    }

    [Fact]
    public void PicturesOfATool_AreShownByTheUser_WhereToolsAnswerInTextAlone()
    {
        const string request = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
             {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}]}
            """;
        var plain = JsonNode.Parse(Said(request))!["messages"]!.AsArray();
        Assert.Equal("see", (string?)plain[2]!["content"]);
        Assert.Equal("user", (string?)plain[3]!["role"]);
        Assert.Equal("image_url", (string?)plain[3]!["content"]![0]!["type"]);

        var rich = JsonNode.Parse(Said(request, "gemini"))!["messages"]!.AsArray();
        Assert.Equal(3, rich.Count);
        Assert.Equal("image_url", (string?)rich[2]!["content"]![1]!["type"]);
    }

    [Theory]
    [InlineData("openai", "gpt-4o", """[{"type":"text","text":"Hello"},{"type":"text","text":"World"}]""")]
    [InlineData("gemini", "gemini-3-pro", """[{"type":"text","text":"Hello"},{"type":"text","text":"World"}]""")]
    [InlineData("openai", "deepseek-chat", "\"Hello\\n\\nWorld\"")]
    public void SeveralTextsOfTheUser_StayApart(string protocol, string model, string expected)
    {
        var said = JsonNode.Parse(Said("""
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"text","text":"World"}]},
             {"role":"assistant","content":[{"type":"text","text":"It is "},{"type":"text","text":"so."}]},{"role":"user","content":[{"type":"text","text":"One"}]}]}
            """, protocol, model: model))!;

        ProviderCases.AssertSame(JsonNode.Parse(expected), said["messages"]![0]!["content"]);
        Assert.Equal("It is so.", (string?)said["messages"]![1]!["content"]);
        Assert.Equal("One", (string?)said["messages"]![2]!["content"]);
    }

    [Theory]
    [InlineData(64, false)]
    [InlineData(65, true)]
    [InlineData(150, true)]
    public void TheUserOfACodingAgent_IsAHashWhereItIsTooLong_AndNamed(int length, bool hashed)
    {
        var dropped = new List<string>();
        var user = new string('u', length);
        var said = (string?)JsonNode.Parse(Said($$$"""{"model":"m","max_tokens":9,"metadata":{"user_id":"{{{user}}}"},"messages":[{"role":"user","content":"x"}]}""", dropped: dropped))!["user"];

        Assert.Equal(hashed ? ["metadata.user_id"] : [], dropped);
        Assert.Equal(64, said!.Length);
        Assert.Equal(hashed, said != user);
    }

    [Theory]
    [InlineData("anthropic.claude-opus-4-6-v1", "", "low")]
    [InlineData("amazon.nova-pro-v1:0", "thinking", null)]
    public void ThinkingAndItsEffort_ReachClaudeOnBedrock_AndAreNamedForOthers(string model, string lost, string? effort)
    {
        var dropped = new List<string>();
        var said = JsonNode.Parse(Said("""
            {"model":"m","max_tokens":9,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"},"messages":[{"role":"user","content":"x"}]}
            """, "bedrock", dropped, model))!;

        Assert.Equal(lost, string.Join(',', dropped));
        Assert.Equal(effort, (string?)said["reasoning_effort"]);
        Assert.Equal(effort is not null, said["thinking"] is not null);
    }

    private static string Said(string request, string protocol = "openai", List<string>? dropped = null, string model = "gpt-4")
    {
        var output = new ArrayBufferWriter<byte>();
        new MessagesSurface().WriteRequest(
            Encoding.UTF8.GetBytes(request), Gateway.Edge.Tests.Providers.ProviderCases.Provider(protocol), model, new DroppedFields(dropped ?? [], false, "It"), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
