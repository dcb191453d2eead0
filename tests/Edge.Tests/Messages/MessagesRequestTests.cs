using System.Buffers;
using System.Text;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;

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

        Assert.Null(Gateway.Edge.Chat.ChatRequestHead.TryRead(Encoding.UTF8.GetBytes(said), out var head));
        Assert.Equal("gpt-4", head.ModelName);
    }

    private static string Said(string request)
    {
        var output = new ArrayBufferWriter<byte>();
        new MessagesSurface().WriteRequest(Encoding.UTF8.GetBytes(request), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
