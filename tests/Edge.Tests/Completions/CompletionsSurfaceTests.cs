using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Completions;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Completions;

public sealed class CompletionsSurfaceTests
{
    [Theory]
    [InlineData("anthropic", "claude-2", """{"model":"m","prompt":"Once","max_tokens":5,"temperature":0.5,"stop":["."],"stream":true}""",
        """{"model":"m","messages":[{"role":"user","content":"Once"}],"max_tokens":5,"temperature":0.5,"stop":["."],"stream":true}""", "")]
    [InlineData("openai", "o3", """{"model":"m","prompt":["Once"],"max_tokens":5,"logprobs":2,"best_of":3,"echo":true,"suffix":"end"}""",
        """{"model":"m","messages":[{"role":"user","content":"Once"}],"max_completion_tokens":5,"logprobs":true,"top_logprobs":2}""", "best_of,echo,suffix")]
    [InlineData("openai", "gpt-4", """{"prompt":"Once","best_of":1,"echo":false,"suffix":null,"n":2}""",
        """{"model":"gpt-4","messages":[{"role":"user","content":"Once"}],"n":2}""", "")]
    public void A_text_is_a_users_message_to_a_model_that_chats(string protocol, string model, string request, string expected, string dropped)
    {
        var output = new ArrayBufferWriter<byte>();
        var names = new List<string>();
        new CompletionsSurface().WriteRequest(Encoding.UTF8.GetBytes(request), ProviderCases.Provider(protocol), model, new DroppedFields(names, true, "It"), output);

        ProviderCases.AssertSame(JsonNode.Parse(expected), JsonNode.Parse(output.WrittenSpan));
        Assert.Equal(dropped, string.Join(',', names));
    }

    [Theory]
    [InlineData("""{"model":"m","prompt":["a","b"]}""")]
    [InlineData("""{"model":"m","prompt":[1,2]}""")]
    [InlineData("""{"model":"m"}""")]
    public void Several_prompts_and_tokens_are_refused_where_a_model_chats(string request) =>
        Assert.Equal("prompt", Assert.Throws<UntranslatableRequestException>(() => new CompletionsSurface().WriteRequest(
            Encoding.UTF8.GetBytes(request), ProviderCases.Provider("anthropic"), "claude-2", new DroppedFields([], true, "It"), new ArrayBufferWriter<byte>())).Param);

    [Theory]
    [InlineData("""{"model":"m","prompt":"a"}""", 1)]
    [InlineData("""{"model":"m","prompt":["a","b"],"n":2}""", 4)]
    [InlineData("""{"model":"m","prompt":[1,2],"best_of":3}""", 3)]
    [InlineData("""{"model":"m","prompt":[[1],[2]],"n":2,"best_of":3}""", 6)]
    public void Every_answer_that_is_written_is_counted_before_it_runs(string request, int answers)
    {
        Assert.Null(new CompletionsSurface().ReadHead(Encoding.UTF8.GetBytes(request), out var head));
        Assert.Equal(answers, head.Choices);
    }

    [Fact]
    public void A_passed_stream_is_assembled_and_its_usage_read()
    {
        var stream = CompletionsPassed.Instance.OpenStream(null!, assembles: true);
        using var tap = new OutputTap();
        foreach (var frame in new[]
        {
            """{"id":"cmpl-1","object":"text_completion","choices":[{"text":"On","index":0,"finish_reason":null}]}""",
            """{"id":"cmpl-1","object":"text_completion","choices":[{"text":"ce","index":0,"finish_reason":"stop"},{"text":"B","index":1,"finish_reason":"length"}]}""",
            """{"id":"cmpl-1","object":"text_completion","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}""",
        })
        {
            stream.Watch(default, Encoding.UTF8.GetBytes(frame), tap);
        }

        Assert.True(stream.IsUsageOnly);
        Assert.False(stream.Ended);
        stream.Watch(default, "[DONE]"u8, tap);
        Assert.True(stream.Ended);
        Assert.Equal("OnceB", Encoding.UTF8.GetString(tap.Text));
        ProviderCases.AssertSame(
            JsonNode.Parse("""{"id":"cmpl-1","object":"text_completion","choices":[{"text":"Once","index":0,"finish_reason":"stop"},{"text":"B","index":1,"finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}"""),
            JsonNode.Parse(stream.Assemble().Span));
    }

    [Theory]
    [InlineData("{half")]
    [InlineData("{half}")]
    [InlineData("""{"choices":[{"index":"0","text":"a"}]}""")]
    [InlineData("""{"choices":[{"index":0,"text":5}]}""")]
    [InlineData("""{"choices":[{"text":"a","text":"b"}]}""")]
    public void A_chunk_that_is_none_is_malformed(string chunk)
    {
        using var tap = new OutputTap();

        Assert.Throws<MalformedReplyException>(() => CompletionsPassed.Instance.OpenStream(null!, assembles: true).Watch(default, Encoding.UTF8.GetBytes(chunk), tap));
    }

    [Theory]
    [InlineData("null", "stop")]
    [InlineData("\"\"", "stop")]
    [InlineData("\"tool_calls\"", "stop")]
    [InlineData("\"length\"", "length")]
    [InlineData("\"content_filter\"", "content_filter")]
    public void A_whole_answer_always_says_why_it_ended(string said, string reason)
    {
        var surface = new CompletionsSurface();
        using var exchange = new SurfaceExchange(surface, """{"model":"m","prompt":"Once"}""");
        var output = new ArrayBufferWriter<byte>();

        surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes($$"""{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":{{said}}}]}"""), new TokenUsage { Input = 1, Output = 1 }, output);

        Assert.Equal(reason, (string?)JsonNode.Parse(output.WrittenSpan)!["choices"]![0]!["finish_reason"]);
    }

    [Fact]
    public void A_piece_of_a_server_that_sends_an_empty_reason_is_not_the_last()
    {
        var surface = new CompletionsSurface();
        using var exchange = new SurfaceExchange(surface, """{"model":"m","prompt":"Once","stream":true}""");
        var output = new ArrayBufferWriter<byte>();
        using var stream = surface.OpenStream(exchange.Value);

        stream.Read("""
            data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":""}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":""}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}


            """u8, output);

        var reasons = Encoding.UTF8.GetString(output.WrittenSpan).Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(static frame => (string?)JsonNode.Parse(frame["data: ".Length..])!["choices"]![0]!["finish_reason"]);
        Assert.Equal([null, "length"], reasons);
    }
}
