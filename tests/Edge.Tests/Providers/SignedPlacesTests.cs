using System.Text;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;

namespace Gateway.Edge.Tests.Providers;

/// <summary>What is cut out of bytes that pass: what is left is what its provider takes.</summary>
public sealed class SignedPlacesTests
{
    private const string Marked = """{"type":"thinking","thinking":"Hm.","signature":"__thought__"}""";

    /// <summary>Anthropic refuses a message without content.</summary>
    [Theory]
    [InlineData("""[{"role":"user"},{"role":"assistant","content":[BLOCK]},{"role":"user"}]""", """[{"role":"user"},{"role":"user"}]""")]
    [InlineData("""[{"role":"user"},{"role":"assistant","content":[BLOCK,BLOCK]}]""", """[{"role":"user"}]""")]
    [InlineData("""[ {"content":[BLOCK]} , {"content":[ BLOCK , BLOCK ]} , {"role":"user"} ]""", """[   {"role":"user"} ]""")]
    [InlineData("""[{"role":"user"}, {"content":[BLOCK]} , {"content":[ BLOCK , BLOCK ]} ]""", """[{"role":"user"} ]""")]
    [InlineData("""[{"role":"user"},{"content":[BLOCK,"a"]},{"content":["a",BLOCK]},{"content":[BLOCK,[]]}]""", """[{"role":"user"},{"content":["a"]},{"content":["a"]},{"content":[[]]}]""")]
    [InlineData("""[{"role":"user"},{"content":[BLOCK,{"id":"a__thought__b"}]}]""", """[{"role":"user"},{"content":[{"id":"a"}]}]""")]
    // What else the message says is not lost.
    [InlineData("""[{"content":[BLOCK],"tool_calls":[{"id":"a__thought__b"}]}]""", """[{"content":[],"tool_calls":[{"id":"a"}]}]""")]
    [InlineData("""[{"tool_calls":[{"id":"a__thought__b"}],"content":[BLOCK]}]""", """[{"tool_calls":[{"id":"a"}],"content":[]}]""")]
    [InlineData("""[{"role":"assistant","content":"Hello","thinking_blocks":[BLOCK]}]""", """[{"role":"assistant","content":"Hello","thinking_blocks":[]}]""")]
    [InlineData("""[{"thinking_blocks":[BLOCK],"content":"Hello"}]""", """[{"thinking_blocks":[],"content":"Hello"}]""")]
    [InlineData("""[{"role":"user"},{"role":"assistant","content":"","thinking_blocks":[BLOCK]}]""", """[{"role":"user"}]""")]
    [InlineData("""[{"role":"user"},{"role":"assistant","content":null,"thinking_blocks":[BLOCK]}]""", """[{"role":"user"}]""")]
    [InlineData("""[{"content":[]},{"content":{"a":[BLOCK]}}]""", """[{"content":[]},{"content":{"a":[]}}]""")]
    [InlineData("""[{"content":[BLOCK]}]""", "[]")]
    public void A_message_of_which_nothing_is_left_goes_with_it(string messages, string expected) =>
        Assert.Equal($$"""{"model":"m","messages":{{expected}}}""", Passed($$"""{"model":"m","messages":{{messages.Replace("BLOCK", Marked, StringComparison.Ordinal)}}}"""));

    [Theory]
    [InlineData("""{"text":"Hm.","thought":true,"thoughtSignature":"SEALED"},{"text":"Hi."}""", """{"text":"Hi."}""")]
    [InlineData("""{"text":"","thought":true,"thought_signature":"SEALED"},{"text":"Hi."}""", """{"text":"Hi."}""")]
    [InlineData("""{"thoughtSignature":"SEALED"},{"text":"Hi."}""", """{"text":"Hi."}""")]
    [InlineData("""{"text":"Hi.","thoughtSignature":"SEALED"}""", """{"text":"Hi."}""")]
    [InlineData("""{"thoughtSignature" : "SEALED" , "functionCall":{"name":"f"}}""", """{ "functionCall":{"name":"f"}}""")]
    [InlineData("""{"functionCall":{"id":"a__thought__YQ"},"thoughtSignature":"SEALED"},{"text":"Hi."}""", """{"functionCall":{"id":"a"}},{"text":"Hi."}""")]
    [InlineData("""{"text":"Hi.","thoughtSignature":"c2ln"}""", """{"text":"Hi.","thoughtSignature":"c2ln"}""")]
    [InlineData("""{"text":"thoughtSignature: SEALED"}""", """{"text":"thoughtSignature: SEALED"}""")]
    public void Gemini_is_passed_nothing_that_Claude_thought(string parts, string expected)
    {
        var thought = new ThinkingSeal();
        thought.Add(System.Text.Json.JsonElement.Parse("""{"type":"thinking","thinking":"Hm.","signature":"c2ln"}"""));
        var signature = GeminiThoughts.Signature(thought.ToText()!);
        var body = Encoding.UTF8.GetBytes($$"""{"contents":[{"role":"model","parts":[{{parts.Replace("SEALED", signature, StringComparison.Ordinal)}}]}]}""");
        Assert.Null(new GeminiSurface(streams: false).ReadHead(body, out var head));

        Assert.Equal(
            $$"""{"contents":[{"role":"model","parts":[{{expected.Replace("SEALED", signature, StringComparison.Ordinal)}}]}]}""",
            Encoding.UTF8.GetString(new SplicedContent(body, Splice.OfGateway(body, head)).ToArray()));
    }

    [Fact]
    public void A_turn_that_Claude_only_thought_in_goes_too()
    {
        var thought = new ThinkingSeal();
        thought.Add(System.Text.Json.JsonElement.Parse("""{"type":"thinking","thinking":"Hm.","signature":"c2ln"}"""));

        Assert.Equal("""{"contents":[{"parts":[{"text":"?"}]}]}""", Passed($$"""{"contents":[{"parts":[{"text":"?"}]},{"role":"model","parts":[{"text":"Hm.","thought":true,"thoughtSignature":"{{GeminiThoughts.Signature(thought.ToText()!)}}"}]}]}"""));
    }

    /// <summary>Such JSON can be passed on: what is wrong with it its provider says.</summary>
    [Theory]
    [InlineData("""{"\ud800":1,"\uD800x":"x","\udc00\ud800":[{"\ud800":{"id":"a__thought__b"}}],"model":"m"}""", """{"\ud800":1,"\uD800x":"x","\udc00\ud800":[{"\ud800":{"id":"a"}}],"model":"m"}""")]
    [InlineData("""{"a":[{"\u0069d":"a__thought__b"},{"signatur\u0065":"__thought__b"}]}""", """{"a":[{"\u0069d":"a"}]}""")]
    public void A_name_that_is_no_text_is_none_of_those(string request, string expected) => Assert.Equal(expected, Passed(request));

    [Fact]
    public void Many_blocks_are_cut_as_fast_as_few() => Effort.AssertNotSquare(
        static count => Assert.Equal(
            $$"""{"model":"m","a":[{{string.Join(',', Enumerable.Repeat("1", count))}}]}""",
            Passed($$"""{"model":"m","a":[{{string.Join(',', Enumerable.Repeat("""{"signature":"__thought__"},1""", count))}}]}""")),
        100_000);

    private static string Passed(string request) => Encoding.UTF8.GetString(Splice.WithoutSignatures(Encoding.UTF8.GetBytes(request)).Span);
}
