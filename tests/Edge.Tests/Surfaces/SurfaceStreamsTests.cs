using System.Buffers;
using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Completions;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Providers;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>OpenAI's chunks, as the clients of the other surfaces read them.</summary>
public sealed class SurfaceStreamsTests
{
    private static readonly FakeTimeProvider Time = new();

    private const string Request = """{"model":"m","input":"x","prompt":"x","stream":true}""";

    private static readonly IChatSurface[] All =
        [new MessagesSurface(), new ResponsesSurface(null!), new OllamaSurface(generates: false, Time), new OllamaSurface(generates: true, Time), new CohereSurface(), new CompletionsSurface(),
         new GeminiSurface(streams: true), new GeminiSurface(streams: true, asArray: true)];

    private static readonly byte[] Chunks = Encoding.UTF8.GetBytes("""
        data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

        : a comment

        data: {"choices":[{"index":0,"delta":{"reasoning_content":"Caf\u00e9 é \ud83d\ude00"}}]}

        data: {"choices":[{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"Hm","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="}]}}]}

        data: {"choices":[{"index":0,"delta":{"content":"a\"b"}}]}

        data: {"choices":[{"index":0,"delta":{"refusal":"No."}}]}

        data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"a\":"}}]}}]}

        data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"u","function":{"name":"g","arguments":""}},{"index":0,"function":{"arguments":" 1}"}}]}}]}

        data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: [DONE]


        """);

    public static TheoryData<string> Surfaces => new(All.Select(NameOf));

    /// <summary>However the chunks are cut into pieces, what the client reads is the same.</summary>
    [Theory]
    [MemberData(nameof(Surfaces))]
    public void T84_The_pieces_that_chunks_come_in_change_nothing(string name)
    {
        var surface = All.Single(one => NameOf(one) == name);
        using var exchange = new SurfaceExchange(surface, Request);
        var whole = Said(surface, exchange.Value, Chunks, static () => Chunks.Length);

        Assert.Contains("a\\\"b", whole, StringComparison.Ordinal);
        foreach (var split in Effort.Splits(Chunks.Length))
        {
            Assert.Equal(whole, Said(surface, exchange.Value, Chunks, split));
        }
    }

    /// <summary>A provider whose bytes pass may send anything between the braces of a chunk.</summary>
    [Fact]
    public void T84_No_chunk_whatever_raises_anything_but_a_malformed_reply()
    {
        var exchanges = All.ToDictionary(static surface => surface, static surface => new SurfaceExchange(surface, Request));
        foreach (var random in Effort.Rounds(3000, 11))
        {
            var bytes = ProviderContractTests.Mutate(Chunks, random);
            foreach (var (surface, exchange) in exchanges)
            {
                try
                {
                    Said(surface, exchange.Value, bytes, () => random.Next(1, 400));
                }
                catch (MalformedReplyException)
                {
                }
            }
        }
    }

    private static string NameOf(IChatSurface surface) => $"{surface.CallType} as {surface.StreamType}";

    private static string Said(IChatSurface surface, RequestExchange exchange, byte[] chunks, Func<int> pieceLength)
    {
        using var stream = surface.OpenStream(exchange);
        var output = new ArrayBufferWriter<byte>();
        for (var at = 0; at < chunks.Length;)
        {
            var length = Math.Min(pieceLength(), chunks.Length - at);
            stream.Read(chunks.AsSpan(at, length), output);
            at += length;
        }

        stream.End(new TokenUsage { Input = 1, Output = 2 }, null, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
