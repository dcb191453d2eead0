using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Bench.Micro;

/// <summary>What is read of an answer on its way through: usage, frames.</summary>
public class UsageBenchmarks
{
    private const int Frames = 50;

    private static readonly byte[] s_reply = Encoding.UTF8.GetBytes(
        $$$$$"""{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1795478400,"model":"gpt-4","choices":[{"index":0,"message":{"role":"assistant","content":"{{{{{string.Join(' ', Enumerable.Repeat("word", 250))}}}}}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":190,"completion_tokens":250,"total_tokens":440,"prompt_tokens_details":{"cached_tokens":128,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}""");

    private static readonly byte[] s_chunk = Encoding.UTF8.GetBytes(
        """{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1795478400,"model":"gpt-4","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}""");

    private static readonly byte[] s_frame = [.. "data: "u8, .. s_chunk, .. "\n\n"u8];

    private static readonly byte[] s_stream = [.. Enumerable.Repeat(s_frame, Frames).SelectMany(frame => frame)];

    [Benchmark]
    public bool UsageOfAReply() => OpenAiUsage.TryRead(s_reply, out _);

    [Benchmark]
    public bool UsageOfAChunkWithout() => OpenAiUsage.TryRead(s_chunk, out _);

    /// <summary>Each frame in a read of its own, as from a model that writes slowly.</summary>
    [Benchmark(OperationsPerInvoke = Frames)]
    public int FramesOneByOne()
    {
        using var reader = new SseReader();
        var count = 0;
        for (var i = 0; i < Frames; i++)
        {
            reader.Append(s_frame);
            while (reader.TryRead(out _))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>All frames in one read.</summary>
    [Benchmark(OperationsPerInvoke = Frames)]
    public int FramesTogether()
    {
        using var reader = new SseReader();
        var count = 0;
        reader.Append(s_stream);
        while (reader.TryRead(out _))
        {
            count++;
        }

        return count;
    }
}
