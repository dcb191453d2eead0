using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Chat;

public sealed class ChatAssemblerTests
{
    [Fact]
    public void ToJson_TextToolsAndUnknownFields_AreTheWholeAnswer()
    {
        var assembler = new ChatAssembler("call_");
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
        Assert.Equal(JsonValueKind.Null, first.GetProperty("message").GetProperty("refusal").ValueKind);
    }

    [Fact]
    public void ToJson_ChunksThatLeaveOutWhatAWholeAnswerSays_HaveItAllTheSame()
    {
        var assembler = new ChatAssembler("call_x");
        assembler.AddFrames("""
            data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[]}

            data: {"id":"c-1","created":5,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"logprobs":{"content":[{"token":"a"}],"refusal":null}}]}

            data: {"id":"c-2","created":6,"model":"n","choices":[{"index":0,"delta":{},"finish_reason":"","logprobs":{"content":null,"refusal":[]}},{"index":1,"delta":{"content":"B"}}]}

            data: [DONE]


            """u8);

        using var answer = JsonDocument.Parse(assembler.ToJson(new TokenUsage()));

        var root = answer.RootElement;
        Assert.Equal(
            ("chat.completion", "c-1", 5, "m"),
            (root.GetProperty("object").GetString(), root.GetProperty("id").GetString(), root.GetProperty("created").GetInt64(), root.GetProperty("model").GetString()));
        var (called, spoke) = (root.GetProperty("choices")[0], root.GetProperty("choices")[1]);
        Assert.Equal(("tool_calls", "stop"), (called.GetProperty("finish_reason").GetString(), spoke.GetProperty("finish_reason").GetString()));
        Assert.Equal("""[{"id":"call_x0","type":"function","function":{"name":"f","arguments":"{}"}}]""", called.GetProperty("message").GetProperty("tool_calls").GetRawText());
        Assert.Equal("""{"content":[{"token":"a"}],"refusal":[]}""", called.GetProperty("logprobs").GetRawText());
    }

    [Fact]
    public void T76_ThinkingThatComesInPieces_IsWholeWithItsSignature()
    {
        var assembler = new ChatAssembler("call_");
        foreach (var block in (string[])
        [
            """{"type":"thinking","thinking":"H"}""", """{"type":"thinking","thinking":"m"}""", """{"type":"thinking","thinking":"","signature":"c2ln"}""", """{"type":"redacted_thinking","data":"eA=="}""",
            """{"type":"thinking","thinking":"So"}""", """{"type":"thinking","thinking":"","signature":"Mg=="}""",
        ])
        {
            assembler.Add(Encoding.UTF8.GetBytes("{\"choices\":[{\"index\":0,\"delta\":{\"thinking_blocks\":[" + block + "]}}]}"));
        }

        using var answer = JsonDocument.Parse(assembler.ToJson(new TokenUsage()));

        Assert.Equal(
            """[{"type":"thinking","thinking":"Hm","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="},{"type":"thinking","thinking":"So","signature":"Mg=="}]""",
            answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("thinking_blocks").GetRawText());
    }

    [Fact]
    public void T84_NoBytesWhatever_RaiseAnythingButAMalformedReply()
    {
        var chunk = Encoding.UTF8.GetBytes("""
            {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"x","thinking_blocks":[{"type":"thinking","thinking":"a","signature":"b"}],
             "tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]},"logprobs":{"content":[{"token":"x"}]},"finish_reason":"stop"}],"usage":null}
            """);
        foreach (var random in Effort.Rounds(3000, 7))
        {
            var assembler = new ChatAssembler("call_");
            try
            {
                assembler.Add(ProviderContractTests.Mutate(chunk, random));
                assembler.Add(ProviderContractTests.Mutate(chunk, random));
                Assert.NotEmpty(assembler.ToJson(new TokenUsage()).ToArray());
            }
            catch (MalformedReplyException)
            {
            }
        }
    }
}
