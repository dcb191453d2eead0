using System.Buffers;
using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Tests.Providers;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>OpenAI's chunks, as Ollama's, Cohere's and Gemini's clients read them.</summary>
public sealed class SurfaceStreamsTests
{
    private static readonly FakeTimeProvider Time = new();

    private static readonly IChatSurface[] All =
    [
        new OllamaSurface(generates: false, Time), new OllamaSurface(generates: true, Time), new CohereSurface(), new GeminiSurface(streams: true), new GeminiSurface(streams: true, asArray: true),
    ];

    public static TheoryData<string> Surfaces => new(All.Select(NameOf));

    /// <summary>However the chunks are cut into pieces, what the client reads is the same.</summary>
    [Theory]
    [MemberData(nameof(Surfaces))]
    public void T84_The_pieces_that_chunks_come_in_change_nothing(string name)
    {
        var surface = All.Single(one => NameOf(one) == name);
        using var exchange = new SurfaceExchange(surface, """{"model":"m","stream":true}""");
        var bytes = Encoding.UTF8.GetBytes("""
            data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

            : a comment

            data: {"choices":[{"index":0,"delta":{"reasoning_content":"Caf\u00e9 é \ud83d\ude00"}}]}

            data: {"choices":[{"index":0,"delta":{"content":"a\"b"}}]}

            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"a\":"}}]}}]}

            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":" 1}"}}]}}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

            data: [DONE]


            """);
        var whole = Said(surface, exchange.Value, bytes, () => bytes.Length);

        Assert.Contains("a\\\"b", whole, StringComparison.Ordinal);
        for (var split = 0; split < Effort.Splits; split++)
        {
            var random = new Random(split);
            Assert.Equal(whole, Said(surface, exchange.Value, bytes, () => random.Next(1, 40)));
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
