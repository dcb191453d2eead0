using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Providers;

/// <summary>What Gemini signs its texts with comes back to it over the clients of other makers, and reaches nobody else.</summary>
public sealed class TextSignatureTests
{
    private const string Signature = "+/8abcA=";

    public static TheoryData<bool, bool> Answers => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Over_Anthropics_messages_it_comes_back(bool streams, bool thinks)
    {
        var content = streams ? StreamedMessage(thinks)["content"]! : Whole(new MessagesSurface(), """{"model":"m","max_tokens":9,"messages":[]}""", thinks)["content"]!;

        AssertComesBack(new MessagesSurface(), new JsonObject
        {
            ["model"] = "m", ["max_tokens"] = 9, ["messages"] = new JsonArray(User(), new JsonObject { ["role"] = "assistant", ["content"] = content.DeepClone() }, User()),
        });
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Over_Responses_it_comes_back(bool streams, bool thinks)
    {
        var output = (streams ? StreamedResponse(thinks) : Whole(new ResponsesSurface(null!), """{"model":"m","input":"?"}""", thinks))["output"]!.AsArray();

        AssertComesBack(new ResponsesSurface(null!), new JsonObject { ["model"] = "m", ["input"] = new JsonArray([User(), .. output.Select(static item => item!.DeepClone()), User()]) });
    }

    [Theory]
    [InlineData("""[{"type":"text","text":"a"},{"type":"thinking","thinking":"","signature":"__thought__+/8="}]""", """[{"type":"text","text":"a"}]""")]
    [InlineData("""[ {"type":"thinking","thinking":"hm","signature":"__thought__x"} , {"type":"text","text":"a"} ]""", """[  {"type":"text","text":"a"} ]""")]
    [InlineData("""[{"a":{"signature":"__thought__x"}}, {"signature":"__thought__x"} ,{"encrypted_content":"__thought__y","id":"f__thought__YQ"}]""", """[{"a":{"signature":"__thought__x"}}]""")]
    [InlineData("""[[{"signature":"__thought__x"}],{"signature":{"signature":"__thought__x"}},{"signature":"not __thought__"}]""", """[[],{"signature":{"signature":"__thought__x"}},{"signature":"not __thought__"}]""")]
    [InlineData("""[{"b":[1,{"signature":"__thought__x"}],"signature":"__thought__y"},2]""", "[2]")]
    public void Where_the_bytes_pass_to_another_its_block_is_cut(string content, string expected)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"model":"m","signature":"__thought__x","messages":[{"role":"assistant","content":{{content}}}]}""");
        Assert.Null(RequestHead.TryRead(body, out var head, SurfaceProtocol.Messages));

        var passed = Encoding.UTF8.GetString(new SplicedContent(body, Splice.ForOpenAi(body, head, "\"m\""u8.ToArray(), forceStream: false)).ToArray());

        Assert.Equal($$"""{"model":"m","signature":"__thought__x","messages":[{"role":"assistant","content":{{expected}}}]}""", passed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Neither_is_Anthropic_passed_what_nobody_signed(bool streams)
    {
        var content = streams ? StreamedMessage(thinks: true, signs: false)["content"]! : Whole(new MessagesSurface(), """{"model":"m","max_tokens":9,"messages":[]}""", thinks: true, signs: false)["content"]!;
        Assert.Equal(["thinking", "text"], content.AsArray().Select(static block => (string)block!["type"]!));
        var body = Encoding.UTF8.GetBytes($$"""{"model":"m","messages":[{"role":"user","content":"?"},{"role":"assistant","content":{{content.ToJsonString()}}},{"role":"user","content":"?"}]}""");
        Assert.Null(RequestHead.TryRead(body, out var head, SurfaceProtocol.Messages));

        var passed = Encoding.UTF8.GetString(new SplicedContent(body, Splice.ForOpenAi(body, head, "\"m\""u8.ToArray(), forceStream: false, takesStreamOptions: false)).ToArray());

        Assert.Equal($$"""{"model":"m","messages":[{"role":"user","content":"?"},{"role":"assistant","content":[{{content[1]!.ToJsonString()}}]},{"role":"user","content":"?"}]}""", passed);
        Assert.DoesNotContain("thoughtSignature", Sent(new MessagesSurface(), "gemini", JsonNode.Parse(body)!.AsObject()).ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Hm.", Sent(new MessagesSurface(), "bedrock", JsonNode.Parse(body)!.AsObject()).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Neither_is_OpenAI_passed_what_Claude_thought()
    {
        var seal = new ThinkingSeal();
        seal.Add(JsonElement.Parse("""{"type":"thinking","thinking":"Hm.","signature":"c2ln"}"""));
        var body = Encoding.UTF8.GetBytes($$"""{"model":"m","input":[{"role":"user","content":"?"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"{{seal.ToText()}}"},{"role":"assistant","content":"Hi there."},{"role":"user","content":"?"}]}""");
        Assert.Null(RequestHead.TryRead(body, out var head, SurfaceProtocol.Responses));

        var passed = Encoding.UTF8.GetString(new SplicedContent(body, Splice.ForOpenAi(body, head, "\"m\""u8.ToArray(), forceStream: false)).ToArray());

        Assert.Equal("""{"model":"m","input":[{"role":"user","content":"?"},{"role":"assistant","content":"Hi there."},{"role":"user","content":"?"}]}""", passed);
        // Nor is it a signature to Gemini, and Claude gets it back.
        Assert.DoesNotContain("thoughtSignature", Sent(new ResponsesSurface(null!), "gemini", JsonNode.Parse(body)!.AsObject()).ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("\"signature\":\"c2ln\"", Sent(new ResponsesSurface(null!), "anthropic", JsonNode.Parse(body)!.AsObject()).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_marked_what_is_left_is_JSON()
    {
        foreach (var random in Effort.Rounds(3000, 5))
        {
            var body = Encoding.UTF8.GetBytes($$"""{"model":"m","messages":{{Any(random, 4)}}}""");
            using var left = JsonDocument.Parse(Splice.WithoutSignatures(body));
            Assert.Equal("m", left.RootElement.GetProperty("model").GetString());
        }
    }

    private static string Any(Random random, int depth) => random.Next(depth < 1 ? 2 : 5) switch
    {
        0 => "1",
        1 => ((string[])["\"a__thought__YQ\"", "\"__thought__x\"", "\"X190aG91Z2h0X190aGlua2luZy4=\""])[random.Next(3)],
        2 or 3 => $"[{string.Join((string)(random.Next(2) == 0 ? "," : " , "), Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth - 1)))}{(random.Next(2) == 0 ? " " : "")}]",
        _ => $$"""{ {{string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{((string[])["id", "signature", "encrypted_content", "b", "thoughtSignature", "text"])[random.Next(6)]}\":{Any(random, depth - 1)}"))}} }""",
    };

    /// <summary>Gemini is sent the text with its signature; others are sent the text alone.</summary>
    private static void AssertComesBack(IChatSurface surface, JsonObject request)
    {
        var sent = Sent(surface, "gemini", request);
        var turn = sent["contents"]!.AsArray().Single(static content => (string?)content!["role"] == "model")!;
        ProviderCases.AssertSame(new JsonObject { ["role"] = "model", ["parts"] = new JsonArray(new JsonObject { ["text"] = "Hi there.", ["thoughtSignature"] = Signature }) }, turn);
        foreach (var other in (string[])["anthropic", "bedrock", "openai", "cohere"])
        {
            var text = Sent(surface, other, request).ToJsonString();
            Assert.DoesNotContain("__thought__", text, StringComparison.Ordinal);
            Assert.Contains("Hi there.", text, StringComparison.Ordinal);
        }
    }

    private static JsonNode Sent(IChatSurface surface, string protocol, JsonObject request)
    {
        var provider = ProviderCases.Provider(protocol);
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Encoding.UTF8.GetBytes(request.ToJsonString()), provider, "a-model", new DroppedFields([], allowed: true, "It"), hub);
        if (provider.SpeaksOpenAiChat)
        {
            return JsonNode.Parse(hub.WrittenSpan)!;
        }

        var output = new ArrayBufferWriter<byte>();
        provider.WriteRequest(hub.WrittenMemory, ProviderCases.Call(), output, []);
        return JsonNode.Parse(output.WrittenSpan)!;
    }

    private static JsonObject User() => new() { ["role"] = "user", ["content"] = "?" };

    private static string Parts(bool thinks) => thinks ? """{"text":"Hm.","thought":true},""" : "";

    private static string Signed(bool signs) => signs ? $",\"thoughtSignature\":\"{Signature}\"" : "";

    private static JsonNode Whole(IChatSurface surface, string request, bool thinks, bool signs = true)
    {
        using var exchange = new SurfaceExchange(surface, request);
        var hub = new ArrayBufferWriter<byte>();
        ProviderCases.Provider("gemini").ReadReply(
            Encoding.UTF8.GetBytes($$$"""{"candidates":[{"content":{"parts":[{{{Parts(thinks)}}}{"text":"Hi there."{{{Signed(signs)}}} }]},"finishReason":"STOP"}]}"""), ProviderCases.Call(), hub);
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, hub.WrittenMemory, new TokenUsage(), said);
        return JsonNode.Parse(said.WrittenSpan)!;
    }

    private static JsonNode StreamedMessage(bool thinks, bool signs = true)
    {
        var assembler = new MessageAssembler();
        foreach (var item in Events(new MessagesSurface(), """{"model":"m","max_tokens":9,"messages":[]}""", thinks, signs))
        {
            using var read = JsonDocument.Parse(item);
            assembler.Take(read.RootElement);
        }

        return JsonNode.Parse(assembler.ToJson().Span)!;
    }

    private static JsonNode StreamedResponse(bool thinks) => JsonNode.Parse(Events(new ResponsesSurface(null!), """{"model":"m","input":"?"}""", thinks)[^1])!["response"]!;

    /// <summary>The events of an answer whose signature comes last, in a part without text.</summary>
    private static List<string> Events(IChatSurface surface, string request, bool thinks, bool signs = true)
    {
        using var exchange = new SurfaceExchange(surface, request);
        using var stream = surface.OpenStream(exchange.Value);
        var gemini = ProviderCases.Provider("gemini").OpenStream(ProviderCases.Call(stream: true));
        var chunks = new ArrayBufferWriter<byte>();
        gemini.Read(default, Encoding.UTF8.GetBytes($$$"""{"candidates":[{"content":{"parts":[{{{Parts(thinks)}}}{"text":"Hi "}]}}]}"""), chunks);
        gemini.Read(default, """{"candidates":[{"content":{"parts":[{"text":"there."}]}}]}"""u8, chunks);
        gemini.Read(default, Encoding.UTF8.GetBytes($$$"""{"candidates":[{"content":{"parts":[{"text":""{{{Signed(signs)}}} }]},"finishReason":"STOP"}]}"""), chunks);
        var output = new ArrayBufferWriter<byte>();
        stream.Read(chunks.WrittenSpan, output);
        stream.End(new TokenUsage(), null, output);
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(static line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(static line => line[6..])];
    }
}
