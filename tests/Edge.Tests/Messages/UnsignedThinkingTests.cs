using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Messages;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Messages;

/// <summary>A block of thinking that nobody signed (DeepSeek's on Bedrock) says so, whole and streamed: Anthropic's clients expect a signature, and Anthropic takes none back without.</summary>
public sealed class UnsignedThinkingTests
{
    private const string Unsigned = """{"type":"thinking","thinking":"Hm.","signature":"__thought__"}""";

    public static TheoryData<string, string> Blocks => new()
    {
        { """{"type":"thinking","thinking":"Hm."}""", Unsigned },
        { """{"type":"thinking","thinking":"Hm.","signature":""}""", Unsigned },
        { """{"type":"thinking","thinking":"Hm.","signature":null}""", Unsigned },
        { """{"type":"thinking","thinking":"Hm.","signature":"c2ln"}""", """{"type":"thinking","thinking":"Hm.","signature":"c2ln"}""" },
        { """{"type":"redacted_thinking","data":"eA=="}""", """{"type":"redacted_thinking","data":"eA=="}""" },
    };

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Whole_it_is_marked(string block, string expected)
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), Request);
        var said = new ArrayBufferWriter<byte>();
        new MessagesSurface().WriteReply(
            exchange.Value,
            Encoding.UTF8.GetBytes($$$"""{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hi.","reasoning_content":"Hm.","thinking_blocks":[{{{block}}}]}}]}"""), new TokenUsage(), said);

        AssertSaid(expected, JsonNode.Parse(said.WrittenSpan)!);
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Streamed_it_is_marked(string block, string expected)
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), Request);
        using var stream = new MessagesSurface().OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read(
            Encoding.UTF8.GetBytes($$$"""
                data: {"choices":[{"index":0,"delta":{"reasoning_content":"Hm.","thinking_blocks":[{{{block}}}]}}]}

                data: {"choices":[{"index":0,"delta":{"content":"Hi."},"finish_reason":"stop"}]}


                """),
            output);
        stream.End(new TokenUsage(), null, output);
        var assembler = new MessageAssembler();
        foreach (var line in Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(static line => line.StartsWith("data: ", StringComparison.Ordinal)))
        {
            using var read = JsonDocument.Parse(line[6..]);
            assembler.Take(read.RootElement);
        }

        AssertSaid(expected, JsonNode.Parse(assembler.ToJson().Span)!);
    }

    private const string Request = """{"model":"m","max_tokens":9,"messages":[]}""";

    private static void AssertSaid(string expected, JsonNode message)
    {
        Assert.Equal(expected, message["content"]![0]!.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal("text", (string?)message["content"]![1]!["type"]);
    }
}
