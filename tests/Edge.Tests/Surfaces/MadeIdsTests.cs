using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Responses;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>A conversation has the calls of several answers, and no provider takes one id twice: those that are made differ from answer to answer.</summary>
public sealed partial class MadeIdsTests
{
    [Theory]
    [InlineData("messages", true)]
    [InlineData("messages", false)]
    [InlineData("responses", true)]
    [InlineData("responses", false)]
    [InlineData("cohere", true)]
    [InlineData("cohere", false)]
    [InlineData("gemini", true)]
    [InlineData("gemini", false)]
    [InlineData("ollama", true)]
    [InlineData("ollama", false)]
    public void Calls_without_an_id_of_two_answers_have_four_of_their_own(string surface, bool streams)
    {
        var ids = new[] { Said(surface, streams), Said(surface, streams) }.SelectMany(static answer => Ids().Matches(answer).Select(static id => id.Groups[1].Value).Distinct()).ToList();

        Assert.Equal(4, ids.Distinct().Count());
        // OpenAI's own bound.
        Assert.All(ids, static id => Assert.InRange(id.Length, 1, 40));
    }

    private static string Said(string name, bool streams)
    {
        const string calls = "\"tool_calls\":[" + """{"index":0,"function":{"name":"f","arguments":"{}"}},{"index":1,"function":{"name":"g","arguments":"{}"}}""" + "]";
        IChatSurface surface = name switch
        {
            "messages" => new MessagesSurface(),
            "responses" => new ResponsesSurface(null!),
            "ollama" => new OllamaSurface(generates: false, TimeProvider.System),
            "gemini" => new GeminiSurface(streams, asArray: false),
            _ => new CohereSurface(),
        };
        using var exchange = new SurfaceExchange(surface, """{"model":"m","input":"x","stream":true}""");
        var output = new ArrayBufferWriter<byte>();
        if (streams)
        {
            using var stream = surface.OpenStream(exchange.Value);
            stream.Read(Encoding.UTF8.GetBytes($$"""data: {"choices":[{"index":0,"delta":{ {{calls}} },"finish_reason":"tool_calls"}]}""" + "\n\n"), output);
            stream.End(new TokenUsage(), null, output);
        }
        else
        {
            surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes($$"""{"choices":[{"index":0,"message":{ {{calls}} },"finish_reason":"tool_calls"}]}"""), new TokenUsage(), output);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [GeneratedRegex("\"((?:call|toolu)[0-9]*_[0-9a-f]{32}[0-9]+)\"")]
    private static partial Regex Ids();
}
