using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Completions;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Providers;

/// <summary>Streams that pass are watched, and whatever a provider sends is at most malformed.</summary>
public sealed class PassedStreamsTests
{
    private static List<byte[]> Recorded(string protocol) =>
        ProviderCases.Files(ProviderCases.Provider(protocol), "stream").Select(file => RecordedCasesTests.StreamBytes(protocol, Path.GetFileNameWithoutExtension(file))).ToList();

    internal static void Watch(IPassedStream stream, byte[] bytes, Func<int> pieceLength, OutputTap tap, FrameReader? frames = null)
    {
        using var reader = frames ?? new SseReader();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(pieceLength(), bytes.Length - at);
            reader.Append(bytes.AsSpan(at, length));
            at += length;
            while (!stream.Ended && stream.Error is null && reader.TryRead(out var frame))
            {
                if (frame.HasData)
                {
                    stream.Watch(frame.Name, frame.Data, tap);
                }
            }
        }
    }

    [Fact]
    public void T84_No_bytes_whatever_raise_anything_but_a_malformed_reply()
    {
        var (streams, ollamas, coheres, geminis) = (Recorded("anthropic"), Recorded("ollama"), Recorded("cohere"), Recorded("gemini"));
        var responses = Encoding.UTF8.GetBytes("""
            event: response.created
            data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","output":[]}}

            event: response.output_text.delta
            data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1","delta":"Caf\u00e9 \"x\""}

            event: response.completed
            data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}}


            """);
        var completions = Encoding.UTF8.GetBytes("""
            data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"Caf\u00e9","index":0,"logprobs":null,"finish_reason":null}]}

            data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"\"x\"","index":0,"finish_reason":"stop"},{"text":"B","index":1,"finish_reason":"length"}]}

            data: {"id":"cmpl-1","object":"text_completion","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}

            data: [DONE]


            """);
        foreach (var random in Effort.Rounds(2000, 5))
        {
            using var tap = new OutputTap();
            var assembles = random.Next(2) == 0;
            Try(new MessagesPassedStream(assembles), ProviderContractTests.Mutate(streams[random.Next(streams.Count)], random));
            Try(new ResponsesPassedStream(static _ => { }), ProviderContractTests.Mutate(responses, random));
            Try(new OllamaPassed().OpenStream(null!, assembles), ProviderContractTests.Mutate(ollamas[random.Next(ollamas.Count)], random), new LinesReader());
            Try(new CompletionsPassedStream(assembles), ProviderContractTests.Mutate(completions, random));
            Try(new GeminiPassedStream(1, new GeminiFraming(isArray: false), assembles), ProviderContractTests.Mutate(geminis[random.Next(geminis.Count)], random));
            Try(new CoherePassed().OpenStream(null!, assembles), ProviderContractTests.Mutate(coheres[random.Next(coheres.Count)], random));

            void Try(IPassedStream stream, byte[] bytes, FrameReader? frames = null)
            {
                try
                {
                    Watch(stream, bytes, () => random.Next(1, 400), tap, frames);
                    if (stream is not ResponsesPassedStream && assembles)
                    {
                        JsonNode.Parse(stream.Assemble().Span);
                    }
                }
                catch (MalformedReplyException)
                {
                }

                stream.Fail(new GatewayError(502, "provider_error", "It broke off."), new ArrayBufferWriter<byte>());
            }
        }
    }

    /// <summary>However a recorded stream is cut into pieces, what is read of it is the same.</summary>
    [Theory]
    [InlineData("ollama")]
    [InlineData("cohere")]
    [InlineData("gemini")]
    public void T84_The_pieces_that_a_stream_comes_in_change_nothing(string protocol)
    {
        foreach (var bytes in Recorded(protocol))
        {
            var whole = Read(() => bytes.Length);
            foreach (var split in Effort.Splits(bytes.Length))
            {
                Assert.Equal(whole, Read(split));
            }

            (string Text, bool Ended, string? Error, TokenUsage? Usage, string Assembled) Read(Func<int> pieces)
            {
                var stream = protocol switch
                {
                    "ollama" => new OllamaPassed().OpenStream(null!, assembles: true),
                    "cohere" => new CoherePassed().OpenStream(null!, assembles: true),
                    _ => new GeminiPassedStream(1, new GeminiFraming(isArray: false), assembles: true),
                };
                using var tap = new OutputTap();
                Watch(stream, bytes, pieces, tap, protocol == "ollama" ? new LinesReader() : null);
                return (Encoding.UTF8.GetString(tap.Text), stream.Ended, stream.Error?.Message, stream.Usage, Encoding.UTF8.GetString(stream.Assemble().Span));
            }
        }
    }

    [Fact]
    public void A_member_that_stands_twice_makes_no_answer()
    {
        var stream = new MessagesPassedStream(assembles: true);
        using var tap = new OutputTap();
        Watch(stream, Encoding.UTF8.GetBytes("data: {\"type\":\"message_start\",\"message\":{\"role\":\"assistant\",\"role\":\"assistant\"}}\n\n"), static () => 9, tap);

        Assert.Throws<MalformedReplyException>(() => stream.Assemble());
    }

    [Fact]
    public void T76_A_stream_that_is_assembled_is_the_message_that_was_streamed()
    {
        var stream = new MessagesPassedStream(assembles: true);
        using var tap = new OutputTap();
        Watch(stream, Encoding.UTF8.GetBytes("""
            data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"field_of_tomorrow":1,"usage":{"input_tokens":3,"output_tokens":1}}}

            data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

            data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}

            data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\": [1,"}}

            data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":" 2.50]}"}}

            data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}

            data: {"type":"message_stop"}


            """), static () => 17, tap);

        Assert.True(stream.Ended);
        ProviderCases.AssertSame(JsonNode.Parse("""
            {"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"c2ln"},{"type":"tool_use","id":"t","name":"f","input":{"a":[1,2.50]}}],
             "stop_reason":"tool_use","field_of_tomorrow":1,"usage":{"input_tokens":3,"output_tokens":9},"stop_sequence":null}
            """), JsonNode.Parse(stream.Assemble().Span));
    }
}
