using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;

namespace Gateway.Bench.Micro;

/// <summary>From OpenAI's chat to Anthropic's messages and back: what a provider of another protocol costs.</summary>
public class TranslationBenchmarks
{
    private static readonly byte[] s_request = Encoding.UTF8.GetBytes(
        $$$$$"""{"model":"claude-sonnet-4","max_tokens":300,"messages":[{"role":"system","content":"Answer briefly."},{"role":"user","content":"{{{{{string.Join(' ', Enumerable.Repeat("what", 150))}}}}}"}],"tools":[{"type":"function","function":{"name":"weather","description":"Weather of a place","parameters":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"]}}}]}""");

    private static readonly byte[] s_reply = Encoding.UTF8.GetBytes(
        $$$$$"""{"id":"msg_0123456789","type":"message","role":"assistant","model":"claude-sonnet-4","content":[{"type":"text","text":"{{{{{string.Join(' ', Enumerable.Repeat("word", 250))}}}}}"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":190,"output_tokens":250,"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}""");

    private static readonly byte[] s_delta = """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}"""u8.ToArray();

    private static readonly ChatCall s_call = new(Guid.CreateVersion7(), "claude", "claude-sonnet-4", Stream: false, 1795478400, 8192);

    private readonly IChatProvider provider = ChatProviders.Find("anthropic")!;
    private readonly ArrayBufferWriter<byte> output = new(16 * 1024);
    private readonly List<string> dropped = [];
    private IChatStream stream = null!;

    [GlobalSetup]
    public void Prepare()
    {
        stream = provider.OpenStream(s_call with { Stream = true });
        stream.Read("message_start"u8, """{"type":"message_start","message":{"id":"msg_0123456789","type":"message","role":"assistant","content":[],"model":"claude-sonnet-4","stop_reason":null,"usage":{"input_tokens":190,"output_tokens":1}}}"""u8, output);
        stream.Read("content_block_start"u8, """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"""u8, output);
    }

    [Benchmark]
    public int AnthropicRequest()
    {
        output.ResetWrittenCount();
        dropped.Clear();
        provider.WriteRequest(s_request, s_call, output, dropped);
        return output.WrittenCount;
    }

    [Benchmark]
    public int AnthropicReply()
    {
        output.ResetWrittenCount();
        provider.ReadReply(s_reply, s_call, output);
        return output.WrittenCount;
    }

    [Benchmark]
    public int AnthropicFrame()
    {
        output.ResetWrittenCount();
        stream.Read("content_block_delta"u8, s_delta, output);
        return output.WrittenCount;
    }
}
