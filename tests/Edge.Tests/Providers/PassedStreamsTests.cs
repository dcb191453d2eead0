using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Chat;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Providers;

/// <summary>Streams that pass are watched, and whatever a provider sends is at most malformed.</summary>
public sealed class PassedStreamsTests
{
    internal static void Watch(IPassedStream stream, byte[] bytes, Func<int> pieceLength, OutputTap tap)
    {
        using var reader = new SseReader();
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
        var anthropic = ProviderCases.Provider("anthropic");
        var streams = ProviderCases.Files(anthropic, "stream").Select(static file => RecordedCasesTests.StreamBytes("anthropic", Path.GetFileNameWithoutExtension(file))).ToList();
        var responses = Encoding.UTF8.GetBytes("""
            event: response.created
            data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","output":[]}}

            event: response.output_text.delta
            data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1","delta":"Caf\u00e9 \"x\""}

            event: response.completed
            data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}}


            """);
        foreach (var random in Effort.Rounds(2000, 5))
        {
            using var tap = new OutputTap();
            Try(new MessagesPassedStream(assembles: random.Next(2) == 0), ProviderContractTests.Mutate(streams[random.Next(streams.Count)], random));
            Try(new ResponsesPassedStream(static _ => { }), ProviderContractTests.Mutate(responses, random));

            void Try(IPassedStream stream, byte[] bytes)
            {
                try
                {
                    Watch(stream, bytes, () => random.Next(1, 400), tap);
                }
                catch (MalformedReplyException)
                {
                }

                stream.Fail(new GatewayError(502, "provider_error", "It broke off."), new ArrayBufferWriter<byte>());
            }
        }
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
