using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.OllamaApi;

public sealed class OllamaSurfaceTests
{
    private const string Final = """
        "done":true,"total_duration":3000000,"load_duration":0,"prompt_eval_count":10,"prompt_eval_duration":READ,"eval_count":5,"eval_duration":WRITTEN}
        """;

    private static readonly TokenUsage Usage = new() { Input = 7, CachedInput = 3, Output = 4, Reasoning = 1 };

    [Theory]
    [InlineData("""{"model":"m","messages":[]}""", true, null)]
    [InlineData("""{"model":"m","stream":null,"max_tokens":9}""", true, null)]
    [InlineData("""{"model":"m","stream":false,"options":{"num_ctx":1,"num_predict":7,"stop":["num_predict"]}}""", false, 7L)]
    [InlineData("""{"model":"m","options":{"num_predict":-1}}""", true, null)]
    [InlineData("""{"model":"m","\u006fptions":{"\u006eum_predict":8}}""", true, 8L)]
    public void A_request_streams_unless_it_says_no_and_its_bound_is_num_predict(string request, bool streams, long? most)
    {
        Assert.Null(Surface().ReadHead(Encoding.UTF8.GetBytes(request), out var head));

        Assert.Equal((streams, most), (head.Stream, head.MaxTokens));
    }

    [Theory]
    [InlineData("Model")]
    [InlineData("MODEL")]
    [InlineData("\\u004dodel")]
    [InlineData("Options")]
    [InlineData("option\\u017f")]
    [InlineData("\\u017ftream")]
    public void What_Ollama_reads_and_the_gateway_would_not_is_refused(string name) =>
        Assert.Equal("invalid_request", Surface().ReadHead(Encoding.UTF8.GetBytes($$"""{"model":"granted","{{name}}":"dear"}"""), out _)?.Code);

    [Fact]
    public void A_reply_is_said_in_Ollamas_words()
    {
        const string completion = """
            {"choices":[{"index":0,"finish_reason":"tool_calls","logprobs":{"content":[{"token":"H","logprob":-0.5,"bytes":[72],"top_logprobs":[]}]},
             "message":{"role":"assistant","content":"Caf\u00e9","refusal":null,"reasoning_content":"Hm.","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50}"}},
              {"id":"t2","type":"function","function":{"name":"g","arguments":"{half"}}]}}]}
            """;

        Assert.Equal(
            """{"model":"m","created_at":"2026-01-01T00:00:00.003Z","message":{"role":"assistant","content":"Caf\u00e9","thinking":"Hm.","tool_calls":[{"id":"t1","function":{"index":0,"name":"f","arguments":{"a": 1.50}}},{"id":"t2","function":{"index":1,"name":"g","arguments":{"invalid_arguments":"{half"}}}]},"""
            + "\"logprobs\"" + """:[{"token":"H","logprob":-0.5,"bytes":[72],"top_logprobs":[]}],"done_reason":"stop",""" + End(read: 0),
            Reply(completion, generates: false));
        Assert.Equal(
            """{"model":"m","created_at":"2026-01-01T00:00:00.003Z","response":"No.","done_reason":"length",""" + End(read: 0),
            Reply("""{"choices":[{"finish_reason":"length","message":{"content":null,"refusal":"No."}}]}""", generates: true));
    }

    [Fact]
    public void A_stream_is_lines_and_calls_come_whole()
    {
        var lines = Lines(generates: false, cost: new Money(1_200), [
            """{"choices":[{"delta":{"role":"assistant","content":""}}]}""",
            """{"choices":[{"delta":{"reasoning_content":"Hm."}}]}""",
            """{"choices":[{"delta":{"content":"H\u00e9"},"logprobs":{"content":[{"token":"H"}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"t2","function":{"name":"g","arguments":""}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":" 1.50}"}}]}}]}""",
            """{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}""",
        ]);

        const string head = """{"model":"m","created_at":"2026-01-01T00:00:00.003Z","message":{"role":"assistant","content":""";
        Assert.Equal(
        [
            head + "\"\"" + ""","thinking":"Hm."},"done":false}""",
            head + "\"H\\u00e9\"" + """},"logprobs":[{"token":"H"}],"done":false}""",
            head + "\"\"" + ""","tool_calls":[{"id":"t1","function":{"index":0,"name":"f","arguments":{"a": 1.50}}}]},"done":false}""",
            head + "\"\"" + ""","tool_calls":[{"id":"t2","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}""",
            head + "\"\"" + """},"done_reason":"stop",""" + End(read: 1).Replace("}", ",\"cost\":0.0000012}", StringComparison.Ordinal),
        ], lines);
    }

    [Fact]
    public void A_generated_stream_has_responses() =>
        Assert.Equal(
            ["""{"model":"m","created_at":"2026-01-01T00:00:00.003Z","response":"a","done":false}""", """{"model":"m","created_at":"2026-01-01T00:00:00.003Z","response":"","done_reason":"length",""" + End(read: 1)],
            Lines(generates: true, cost: null, ["""{"choices":[{"delta":{"content":"a"}}]}""", """{"choices":[{"delta":{},"finish_reason":"length"}]}"""]));

    [Fact]
    public void A_stream_that_ends_with_an_error_says_it_in_a_line()
    {
        using var exchange = new SurfaceExchange(Surface(), """{"model":"m"}""");
        using var stream = Surface().OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n"u8, output);
        stream.Fail(new GatewayError(429, "budget_exceeded", "It's over."), output);

        Assert.Equal("{\"error\":\"It's over.\",\"code\":\"budget_exceeded\"}\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void A_passed_stream_is_watched_and_assembled()
    {
        const string stream = """
            {"model":"llama","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}
            {"model":"llama","message":{"role":"assistant","content":"H\u00e9"},"logprobs":[{"token":"H"}],"done":false}
            {"model":"llama","message":{"role":"assistant","content":"i","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"logprobs":[{"token":"i"}],"done":false}
            {"model":"llama","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"g","arguments":{}}}]},"done":false}
            {"model":"llama","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","field_of_tomorrow":1,"prompt_eval_count":3,"eval_count":4}

            """;
        var watched = (OllamaPassedStream)Surface().Passed.OpenStream(null!, assembles: true);
        using var tap = new OutputTap();
        PassedStreamsTests.Watch(watched, Encoding.UTF8.GetBytes(stream), static () => 17, tap, new LinesReader());

        Assert.Equal((true, true, new TokenUsage { Input = 3, Output = 4 }), (watched.Ended, watched.HasUsage, watched.Usage));
        Assert.Equal("""HmH\u00e9if{\"a\":1}g{}""", Encoding.UTF8.GetString(tap.Text));
        ProviderCases.AssertSame(
            JsonNode.Parse("""
                {"model":"llama","message":{"role":"assistant","content":"Héi","thinking":"Hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"g","arguments":{}}}]},
                 "done":true,"logprobs":[{"token":"H"},{"token":"i"}],"done_reason":"stop","field_of_tomorrow":1,"prompt_eval_count":3,"eval_count":4}
                """),
            JsonNode.Parse(watched.Assemble().Span));
    }

    [Fact]
    public void An_error_in_a_passed_stream_ends_it()
    {
        var watched = Surface().Passed.OpenStream(null!, assembles: false);
        using var tap = new OutputTap();
        watched.Watch(default, """{"error":"llama runner process has terminated"}"""u8, tap);

        Assert.Equal((false, "llama runner process has terminated"), (watched.Ended, watched.Error?.Message));
    }

    [Fact]
    public void What_a_passed_stream_cost_stands_in_its_last_line()
    {
        using var reader = new LinesReader();
        reader.Append("{\"model\":\"a\",\"done\":true,\"eval_count\":4}\n"u8);
        Assert.True(reader.TryRead(out var line));
        var held = new HeldFrames();
        held.Add(line, withCost: true);
        var output = new ArrayBufferWriter<byte>();
        held.WriteTo(output, new Money(1_200));

        Assert.Equal("{\"cost\":0.0000012,\"model\":\"a\",\"done\":true,\"eval_count\":4}\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    private static OllamaSurface Surface(bool generates = false, TimeProvider? time = null) => new(generates, time ?? TimeProvider.System);

    private static FakeTimeProvider Time()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        time.Advance(TimeSpan.FromMilliseconds(3));
        return time;
    }

    private static string End(int read) => Final.Replace("READ", $"{read * 1_000_000}", StringComparison.Ordinal).Replace("WRITTEN", $"{(3 - read) * 1_000_000}", StringComparison.Ordinal);

    private static string Reply(string completion, bool generates)
    {
        var time = Time();
        var surface = Surface(generates, time);
        using var exchange = new SurfaceExchange(surface, """{"model":"m"}""", time.GetTimestamp() - (3 * time.TimestampFrequency / 1_000));
        var output = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes(completion), Usage, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static string[] Lines(bool generates, Money? cost, string[] chunks)
    {
        var time = Time();
        var surface = Surface(generates, time);
        using var exchange = new SurfaceExchange(surface, """{"model":"m"}""", time.GetTimestamp() - (3 * time.TimestampFrequency / 1_000));
        exchange.Value.FirstByteMicroseconds = 1_000;
        using var stream = surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        foreach (var chunk in chunks)
        {
            stream.Read(Encoding.UTF8.GetBytes($"data: {chunk}\n\n"), output);
        }

        stream.End(Usage, cost, output);
        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return text.TrimEnd('\n').Split('\n');
    }
}
