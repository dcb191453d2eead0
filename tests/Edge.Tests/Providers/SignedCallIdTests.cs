using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Flow;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Providers;

/// <summary>Gemini's signatures come back to it in the ids of its calls, whatever the client's surface drops, and reach nobody else.</summary>
public sealed class SignedCallIdTests
{
    private const string Reply = """
        {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"f1","name":"w","args":{"x":1}},"thoughtSignature":"+/8abcA="},{"functionCall":{"name":"w","args":{}}}]},"finishReason":"STOP"}]}
        """;

    [Theory]
    [InlineData("+/8abcA=", "f1__thought__-_8abcA")]
    [InlineData("YWJj", "f1__thought__YWJj")]
    [InlineData("YQ==", "f1__thought__YQ")]
    [InlineData("", "f1")]
    [InlineData(null, "f1")]
    [InlineData("no base64!", "f1")]
    [InlineData("-_8abcA=", "f1")]
    [InlineData("YQ", "f1")]
    [InlineData("====", "f1")]
    public void A_signature_stands_behind_the_id_and_comes_out_as_it_was(string? signature, string id)
    {
        Assert.Equal(id, Encoding.UTF8.GetString(SignedCallId.Join("f1"u8, signature)));
        Assert.Equal(("f1", id == "f1" ? null : signature), SignedCallId.Split(id));
    }

    [Theory]
    [InlineData("call_1", "call_1", null)]
    [InlineData("__thought__YQ", "__thought__YQ", null)]
    [InlineData("a__thought__", "a__thought__", null)]
    [InlineData("a__thought__b c", "a__thought__b c", null)]
    [InlineData("a__thought__+/8abcA=", "a", "+/8abcA=")]
    public void An_id_of_another_hand_stays_and_LiteLLMs_is_understood(string id, string bare, string? signature) =>
        Assert.Equal((bare, signature), SignedCallId.Split(id));

    [Theory]
    [InlineData("""{"model":"m","messages":[{"tool_calls":[{"id":"a__thought__YQ"}]},{"tool_call_id":"a__thought__YQ","content":"id: a__thought__YQ"}]}""", """{"model":"m","messages":[{"tool_calls":[{"id":"a"}]},{"tool_call_id":"a","content":"id: a__thought__YQ"}]}""")]
    [InlineData("""{"model":"m","messages":[{"content":[{"id":"a__thought__YQ"},{"tool_use_id":"a__thought__-_"}]}],"input":[{"call_id":"b__thought__YQ"}]}""", """{"model":"m","messages":[{"content":[{"id":"a"},{"tool_use_id":"a"}]}],"input":[{"call_id":"b"}]}""")]
    [InlineData("""{"model":"m","id":"__thought__YQ","call_id":7,"tool_call_id":"a__thought__ b"}""", """{"model":"m","id":"__thought__YQ","call_id":7,"tool_call_id":"a__thought__ b"}""")]
    public void Nobody_else_gets_them(string request, string expected)
    {
        var body = Encoding.UTF8.GetBytes(request);
        Assert.Null(RequestHead.TryRead(body, out var head, SurfaceProtocol.Responses));

        Assert.Equal(expected, Encoding.UTF8.GetString(new SplicedContent(body, Splice.ForOpenAi(body, head, "\"m\""u8.ToArray(), forceStream: false)).ToArray()));
        Assert.Equal(expected, Encoding.UTF8.GetString(Splice.WithoutSignatures(body).Span));
    }

    [Fact]
    public void Over_chat_a_client_that_keeps_the_ids_alone_brings_them_back()
    {
        var message = JsonNode.Parse(Completion())!["choices"]![0]!["message"]!;
        foreach (var call in message["tool_calls"]!.AsArray())
        {
            call!.AsObject().Remove("provider_specific_fields");
        }

        AssertComesBack(new JsonArray(User(), message.DeepClone(), Result(message, 1), Result(message, 0)));
    }

    [Fact]
    public void Over_Anthropics_messages_they_come_back()
    {
        var content = Said(new MessagesSurface(), """{"model":"m","max_tokens":9,"messages":[]}""")["content"]!.DeepClone();
        var results = content.AsArray().Reverse().Select(static use => new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = use!["id"]!.DeepClone(), ["content"] = (string?)use["id"] });
        AssertComesBack(Hub(new MessagesSurface(), new JsonObject
        {
            ["model"] = "m", ["max_tokens"] = 9,
            ["messages"] = new JsonArray(User(), new JsonObject { ["role"] = "assistant", ["content"] = content.DeepClone() }, new JsonObject { ["role"] = "user", ["content"] = new JsonArray([.. results]) }),
        }));
    }

    [Fact]
    public void Over_Responses_they_come_back()
    {
        var output = Said(new ResponsesSurface(null!), """{"model":"m","input":"?"}""")["output"]!.AsArray();
        var results = output.Reverse().Select(static call => new JsonObject { ["type"] = "function_call_output", ["call_id"] = call!["call_id"]!.DeepClone(), ["output"] = (string?)call["call_id"] });
        AssertComesBack(Hub(new ResponsesSurface(null!), new JsonObject { ["model"] = "m", ["input"] = new JsonArray([User(), .. output.Select(static item => item!.DeepClone()), .. results]) }));
    }

    [Theory]
    [InlineData("ollama")]
    [InlineData("cohere")]
    public void Over_Ollamas_chat_and_Coheres_they_come_back(string client)
    {
        IChatSurface surface = client == "ollama" ? new OllamaSurface(generates: false, TimeProvider.System) : new CohereSurface();
        var message = Said(surface, """{"model":"m"}""")["message"]!;

        AssertComesBack(Hub(surface, new JsonObject { ["model"] = "m", ["messages"] = new JsonArray(User(), message.DeepClone(), Result(message, 1), Result(message, 0)) }));
    }

    private static JsonObject User() => new() { ["role"] = "user", ["content"] = "?" };

    private static JsonObject Result(JsonNode message, int index)
    {
        var id = message["tool_calls"]![index]!["id"]!;
        return new JsonObject { ["role"] = "tool", ["tool_call_id"] = id.DeepClone(), ["content"] = (string?)id };
    }

    private static byte[] Completion()
    {
        var hub = new ArrayBufferWriter<byte>();
        ProviderCases.Provider("gemini").ReadReply(Encoding.UTF8.GetBytes(Reply), ProviderCases.Call(), hub);
        return hub.WrittenSpan.ToArray();
    }

    /// <summary>The answer in the surface's words.</summary>
    private static JsonNode Said(IChatSurface surface, string request)
    {
        using var exchange = new SurfaceExchange(surface, request);
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Completion(), new TokenUsage(), said);
        return JsonNode.Parse(said.WrittenSpan)!;
    }

    /// <summary>The messages of the next request in the hub's words.</summary>
    private static JsonArray Hub(IChatSurface surface, JsonObject request)
    {
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Encoding.UTF8.GetBytes(request.ToJsonString()), ProviderCases.Provider("gemini"), "gemini-3-pro", new DroppedFields([], allowed: false, "It"), hub);
        return JsonNode.Parse(hub.WrittenSpan)!["messages"]!.AsArray();
    }

    private static void AssertComesBack(JsonArray messages)
    {
        var output = new ArrayBufferWriter<byte>();
        var request = new JsonObject { ["model"] = "m", ["messages"] = messages.DeepClone() };
        ProviderCases.Provider("gemini").WriteRequest(Encoding.UTF8.GetBytes(request.ToJsonString()), ProviderCases.Call(new JsonObject { ["model"] = "gemini-3-pro" }), output, []);

        var contents = JsonNode.Parse(output.WrittenSpan)!["contents"]!;
        ProviderCases.AssertSame(JsonNode.Parse("""[{"functionCall":{"id":"f1","name":"w","args":{"x":1}},"thoughtSignature":"+/8abcA="},{"functionCall":{"name":"w","args":{}}}]"""), contents[1]!["parts"]);
        var first = contents[2]!["parts"]![0]!["functionResponse"]!;
        Assert.Equal(("f1", "f1__thought__-_8abcA"), ((string?)first["id"], (string?)first["response"]!["result"]));
        Assert.Null(contents[2]!["parts"]![1]!["functionResponse"]!["id"]);
    }
}
