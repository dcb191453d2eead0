using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.CohereApi;

public sealed class CohereSurfaceTests
{
    private const string Usages = """{"billed_units":{"input_tokens":10,"output_tokens":5},"tokens":{"input_tokens":10,"output_tokens":5},"cached_tokens":3}""";

    private static readonly TokenUsage Usage = new() { Input = 7, CachedInput = 3, Output = 4, Reasoning = 1 };

    private static readonly CohereSurface Surface = new();

    [Fact]
    public void A_reply_is_said_in_Coheres_words()
    {
        Assert.Equal(
            """{"id":"ID","finish_reason":"TOOL_CALL","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"Caf\u00e9"}],"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50}"}}]},"usage":""" + Usages + "}",
            Reply("""{"choices":[{"finish_reason":"tool_calls","message":{"content":"Caf\u00e9","reasoning_content":"Hm.","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50}"}}]}}]}"""));
        Assert.Equal(
            """{"id":"ID","finish_reason":"MAX_TOKENS","message":{"role":"assistant","content":[{"type":"text","text":"No."}]},"usage":""" + Usages + "}",
            Reply("""{"choices":[{"finish_reason":"length","message":{"content":"","refusal":"No."}}]}"""));
    }

    [Theory]
    [InlineData("stop", "COMPLETE")]
    [InlineData("content_filter", "ERROR")]
    [InlineData(null, "COMPLETE")]
    public void It_says_why_it_ended(string? finishReason, string expected) => Assert.Equal(expected, CohereSurface.FinishReason(finishReason));

    [Fact]
    public void A_stream_is_Coheres_events_in_their_order()
    {
        var events = Events(cost: new Money(1_200), [
            """{"choices":[{"delta":{"role":"assistant","content":""}}]}""",
            """{"choices":[{"delta":{"reasoning_content":"Hm."}}]}""",
            """{"choices":[{"delta":{"content":"H\u00e9"}}]}""",
            """{"choices":[{"delta":{"content":"i"}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"t2","function":{"name":"g","arguments":""}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":" 1.50}"}}]}}]}""",
            """{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}""",
        ]);

        Assert.Equal(
        [
            """{"id":"ID","type":"message-start","delta":{"message":{"role":"assistant","tool_plan":"","content":[],"tool_calls":[],"citations":[]}}}""",
            """{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}""",
            """{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Hm."}}}}""",
            """{"type":"content-end","index":0}""",
            """{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}""",
            """{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"H\u00e9"}}}}""",
            """{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"i"}}}}""",
            """{"type":"content-end","index":1}""",
            """{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t1","type":"function","function":{"name":"f","arguments":""}}}}}""",
            """{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":"}}}}}""",
            """{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":" 1.50}"}}}}}""",
            """{"type":"tool-call-end","index":0}""",
            """{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"t2","type":"function","function":{"name":"g","arguments":""}}}}}""",
            """{"type":"tool-call-end","index":1}""",
            """{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":""" + Usages[..^1] + ",\"cost\":0.0000012}}}",
            "[DONE]",
        ], events);
    }

    [Fact]
    public void A_stream_that_ends_with_an_error_says_it_in_its_last_event()
    {
        using var exchange = new SurfaceExchange(Surface, """{"model":"m"}""");
        using var stream = Surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Fail(new GatewayError(429, "budget_exceeded", "It's over."), output);

        Assert.Equal(
            "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"It's over.\",\"code\":\"budget_exceeded\"}}\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void An_error_has_its_message_where_Coheres_clients_look()
    {
        var output = new ArrayBufferWriter<byte>();
        Surface.WriteError(new GatewayError(404, "model_not_found", "It's not there.", "model"), output);

        var error = JsonNode.Parse(output.WrittenSpan)!;
        Assert.Equal(("It's not there.", "model_not_found"), ((string?)error["message"], (string?)error["error"]!["code"]));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("tool-call")]
    [InlineData("parallel-tools")]
    [InlineData("thinking")]
    [InlineData("length")]
    public void A_stream_that_is_assembled_is_the_reply_that_was_streamed(string name)
    {
        var stream = Surface.Passed.OpenStream(null!, assembles: true);
        using var tap = new OutputTap();
        PassedStreamsTests.Watch(stream, RecordedCasesTests.StreamBytes("cohere", name), static () => 17, tap);
        var expected = ProviderCases.Read("cohere", "stream", name);

        Assert.True(stream.Ended);
        Assert.True(tap.Bytes > 0);
        var hub = new ArrayBufferWriter<byte>();
        var usage = ProviderCases.Provider("cohere").ReadReply(stream.Assemble(), ProviderCases.Call(), hub);
        Assert.Equal(stream.Usage, usage.Tokens);
        var choice = JsonNode.Parse(hub.WrittenSpan)!["choices"]![0]!;
        Assert.Equal((string?)expected["expected"]!["finish_reason"], (string?)choice["finish_reason"]);
        Assert.Equal((string?)expected["expected"]!["message"]!["content"] ?? "", (string?)choice["message"]!["content"] ?? "");
        ProviderCases.AssertSame(expected["expected"]!["message"]!["tool_calls"], choice["message"]!["tool_calls"]);
    }

    [Fact]
    public void An_error_in_a_passed_stream_ends_it()
    {
        var stream = Surface.Passed.OpenStream(null!, assembles: false);
        using var tap = new OutputTap();
        PassedStreamsTests.Watch(stream, RecordedCasesTests.StreamBytes("cohere", "error-mid-stream"), static () => 17, tap);

        Assert.Equal((false, "generation failed"), (stream.Ended, stream.Error?.Message));
        Assert.Equal(10, stream.Usage?.PromptTokens);
    }

    private static string Reply(string completion)
    {
        using var exchange = new SurfaceExchange(Surface, """{"model":"m"}""");
        var output = new ArrayBufferWriter<byte>();
        Surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes(completion), Usage, output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Replace(exchange.Value.Id.ToString(), "ID", StringComparison.Ordinal);
    }

    private static IEnumerable<string> Events(Money? cost, string[] chunks)
    {
        using var exchange = new SurfaceExchange(Surface, """{"model":"m"}""");
        using var stream = Surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        foreach (var chunk in chunks)
        {
            stream.Read(Encoding.UTF8.GetBytes($"data: {chunk}\n\n"), output);
        }

        stream.End(Usage, cost, output);
        var frames = Encoding.UTF8.GetString(output.WrittenSpan).Replace(exchange.Value.Id.ToString(), "ID", StringComparison.Ordinal).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        foreach (var frame in frames[..^1])
        {
            Assert.Equal($"event: {JsonNode.Parse(frame.Split('\n')[1][6..])!["type"]}", frame.Split('\n')[0]);
        }

        return frames.Select(static frame => frame.Split('\n')[^1][6..]);
    }
}
