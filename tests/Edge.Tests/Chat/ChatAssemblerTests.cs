using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;

namespace Gateway.Edge.Tests.Chat;

public sealed class ChatAssemblerTests
{
    [Fact]
    public void ToJson_TextToolsAndUnknownFields_AreTheWholeAnswer()
    {
        var assembler = new ChatAssembler();
        assembler.AddFrames("""
            data: {"id":"c-1","object":"chat.completion.chunk","created":5,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

            data: {"id":"c-1","choices":[{"index":0,"delta":{"content":"Hel"}},{"index":1,"delta":{"content":"B"}}]}

            data: {"id":"c-1","choices":[{"index":0,"delta":{"content":"lo","reasoning_content":"hm"}}]}

            data: {"id":"c-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}]}

            data: {"id":"c-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}

            data: {"id":"c-1","choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]


            """u8);

        using var answer = JsonDocument.Parse(assembler.ToJson(new TokenUsage { Input = 3, Output = 4 }));

        var root = answer.RootElement;
        Assert.Equal(("chat.completion", "c-1", "fp"), (root.GetProperty("object").GetString(), root.GetProperty("id").GetString(), root.GetProperty("system_fingerprint").GetString()));
        var first = root.GetProperty("choices")[0];
        Assert.Equal("Hello", first.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("hm", first.GetProperty("message").GetProperty("reasoning_content").GetString());
        Assert.Equal("""{"a":1}""", first.GetProperty("message").GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString());
        Assert.Equal("tool_calls", first.GetProperty("finish_reason").GetString());
        Assert.Equal("B", root.GetProperty("choices")[1].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(7, root.GetProperty("usage").GetProperty("total_tokens").GetInt64());
    }
}
