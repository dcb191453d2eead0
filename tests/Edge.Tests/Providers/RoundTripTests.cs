using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Providers;

/// <summary>
/// What a model said comes back to it as it was: a provider's answer, read in the hub's words and put into the next request as a client does
/// it, is the same blocks in the provider's words again. Over Anthropic's messages, OpenAI's Responses, Ollama's chat, Cohere's and Gemini's too.
/// </summary>
public sealed class RoundTripTests
{
    private static readonly Gen<string> Texts = Gen.NonEmptyListOf(Gen.Elements("Caf\u00e9", " ", "\u2603", "\"x\"", "\\", "\n", "\u0007", "</a>", "\ud83d\ude00", "{\"a\":1}", "a")).Select(string.Concat)
        .Where(static text => !string.IsNullOrWhiteSpace(text));

    private static readonly Gen<string> Values =
        Gen.OneOf(Texts.Select(static text => JsonValue.Create(text).ToJsonString()), Gen.Elements("null", "true", "-0", "2.50", "1e3", "[]", "{}", "[1, {\"b\":null}]"));

    private static readonly Gen<string> Arguments = Gen.ListOf(Values).Resize(4).Select(static values => "{" + string.Join(", ", values.Select(static (value, index) => $"\"m{index}\": {value}")) + "}");

    private static readonly Gen<Answer> Answers =
        from text in Gen.OneOf(Texts, Gen.Constant(""))
        from thinking in Gen.OneOf(Texts, Gen.Constant(""))
        from hidden in Gen.Elements(true, false)
        from calls in Gen.ListOf(Arguments).Resize(3)
        where text.Length > 0 || calls.Count > 0
        select new Answer(text, thinking, hidden, [.. calls.Select(static (arguments, index) => ($"call_{index}", index % 2 == 0 ? "get_weather" : "now", arguments))]);

    public static TheoryData<string> Forms => new(FormsByProtocol.Keys);

    private static Dictionary<string, Form> FormsByProtocol { get; } = new()
    {
        ["anthropic"] = new(
            static answer => new JsonObject { ["id"] = "msg_1", ["content"] = AnthropicContent(answer), ["stop_reason"] = "end_turn" },
            AnthropicContent,
            static request => request["messages"]![1]!["content"]),
        ["bedrock"] = new(
            static answer => new JsonObject { ["output"] = new JsonObject { ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = BedrockContent(answer) } }, ["stopReason"] = "end_turn" },
            BedrockContent,
            static request => request["messages"]![1]!["content"]),
        ["gemini"] = new(
            static answer => new JsonObject { ["candidates"] = new JsonArray(new JsonObject { ["content"] = new JsonObject { ["parts"] = GeminiParts(answer, withThoughts: true) }, ["finishReason"] = "STOP" }) },
            static answer => GeminiParts(answer, withThoughts: false),
            static request => request["contents"]![1]!["parts"]),
        ["cohere"] = new(
            static answer => new JsonObject { ["message"] = CohereMessage(answer, isReply: true), ["finish_reason"] = "COMPLETE" },
            static answer => CohereMessage(answer, isReply: false),
            static request => request["messages"]![1]),
        ["mistral"] = new(
            static answer => new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = MistralMessage(answer), ["finish_reason"] = "stop" }) },
            MistralMessage,
            static request => request["messages"]![1]),
        ["ollama"] = new(
            static answer => new JsonObject { ["message"] = OllamaMessage(answer), ["done"] = true, ["done_reason"] = "stop" },
            OllamaMessage,
            static request => request["messages"]![1]),
    };

    [Fact]
    public void Every_protocol_that_is_translated_has_a_form() =>
        Assert.Equal(
            ProviderCases.Providers.Where(static provider => (!provider.SpeaksOpenAiChat || provider.RewritesOpenAiChat) && provider.Protocol is not ("vertex" or "vertex-claude")).Select(static provider => provider.Protocol).Order(StringComparer.Ordinal),
            FormsByProtocol.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Forms))]
    public void T76_An_answer_comes_back_to_its_provider_as_it_was(string protocol) => Check(answer =>
    {
        var form = FormsByProtocol[protocol];
        var next = Next(ReadReply(protocol, form.Reply(answer)));

        ProviderCases.AssertSame(form.Blocks(answer), form.BlocksIn(Write(protocol, next)));
    });

    [Fact]
    public void T76_Over_Anthropics_messages_an_answer_is_the_same_both_ways() => Check(answer =>
    {
        using var exchange = Exchange("""{"model":"m","max_tokens":9,"messages":[]}""", SurfaceProtocol.Messages);
        var surface = new MessagesSurface();
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Bytes(ReadReply("anthropic", FormsByProtocol["anthropic"].Reply(answer))), new TokenUsage(), said);
        var content = JsonNode.Parse(said.WrittenSpan)!["content"]!;
        var request = new JsonObject
        {
            ["model"] = "m", ["max_tokens"] = 9,
            ["messages"] = new JsonArray(User("?"), new JsonObject { ["role"] = "assistant", ["content"] = content.DeepClone() }, User("go on")),
        };
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Bytes(request), ProviderCases.Provider("anthropic"), "claude", new DroppedFields([], allowed: false, "It"), hub);

        ProviderCases.AssertSame(AnthropicContent(answer), Write("anthropic", JsonNode.Parse(hub.WrittenSpan)!)["messages"]![1]!["content"]);
    });

    [Fact]
    public void T76_Over_Responses_an_answer_is_the_same_both_ways() => Check(answer =>
    {
        using var exchange = Exchange("""{"model":"m","input":"?"}""", SurfaceProtocol.Responses);
        var surface = new ResponsesSurface(null!);
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Bytes(ReadReply("anthropic", FormsByProtocol["anthropic"].Reply(answer))), new TokenUsage(), said);
        var output = JsonNode.Parse(said.WrittenSpan)!["output"]!.AsArray();
        var request = new JsonObject { ["model"] = "m", ["input"] = new JsonArray([User("?"), .. output.Select(static item => item!.DeepClone()), User("go on")]) };
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Bytes(request), ProviderCases.Provider("anthropic"), "claude", new DroppedFields([], allowed: false, "It"), hub);

        ProviderCases.AssertSame(AnthropicContent(answer), Write("anthropic", JsonNode.Parse(hub.WrittenSpan)!)["messages"]![1]!["content"]);
    });

    [Fact]
    public void T76_Over_Ollamas_chat_an_answer_is_the_same_both_ways() => Check(static answer =>
    {
        var surface = new OllamaSurface(generates: false, TimeProvider.System);
        var next = Next(surface, ReadReply("ollama", FormsByProtocol["ollama"].Reply(answer)), static call => new JsonObject { ["role"] = "tool", ["tool_name"] = call["function"]!["name"]!.DeepClone(), ["content"] = "done" }, "ollama");

        ProviderCases.AssertSame(OllamaMessage(answer), Write("ollama", next)["messages"]![1]);
        Assert.Equal(answer.Calls.Select(static call => call.Name), next["messages"]!.AsArray().Where(static turn => (string?)turn!["role"] == "tool").Select(turn => NameOf(next, turn!)));
    });

    [Fact]
    public void T76_Over_Coheres_chat_an_answer_is_the_same_both_ways() => Check(static answer =>
    {
        var surface = new CohereSurface();
        var next = Next(surface, ReadReply("cohere", FormsByProtocol["cohere"].Reply(answer)), static call => new JsonObject { ["role"] = "tool", ["tool_call_id"] = call["id"]!.DeepClone(), ["content"] = "done" }, "cohere");

        ProviderCases.AssertSame(CohereMessage(answer, isReply: false), Write("cohere", next)["messages"]![1]);
    });

    [Fact]
    public void T76_Over_Geminis_contents_an_answer_is_the_same_both_ways() => Check(static answer =>
    {
        var surface = new GeminiSurface(streams: false);
        using var exchange = new SurfaceExchange(surface, Contents(User("?")).ToJsonString());
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Bytes(ReadReply("anthropic", FormsByProtocol["anthropic"].Reply(answer))), new TokenUsage(), said);
        var content = JsonNode.Parse(said.WrittenSpan)!["candidates"]![0]!["content"]!;
        Assert.Equal(answer.Calls.Select(static call => call.Id), content["parts"]!.AsArray().Select(static part => (string?)part!["functionCall"]?["id"]).OfType<string>());
        foreach (var call in content["parts"]!.AsArray().Select(static part => part!["functionCall"]).OfType<JsonObject>())
        {
            // Google's older clients send no ids back.
            call.Remove("id");
        }

        var results = answer.Calls.Select(static call => new JsonObject { ["functionResponse"] = new JsonObject { ["name"] = call.Name, ["response"] = new JsonObject() } });
        var request = Contents(User("?"), content.DeepClone(), new JsonObject { ["role"] = "user", ["parts"] = new JsonArray([.. results, new JsonObject { ["text"] = "go on" }]) });
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Bytes(request), ProviderCases.Provider("anthropic"), "claude", new DroppedFields([], allowed: false, "It"), hub);

        var blocks = AnthropicContent(answer);
        foreach (var (call, at) in blocks.Where(static block => block!["id"] is not null).Select(static (call, at) => (call, at)))
        {
            call!["id"] = $"call{at + 1:D5}";
        }

        ProviderCases.AssertSame(blocks, Write("anthropic", JsonNode.Parse(hub.WrittenSpan)!)["messages"]![1]!["content"]);

        static JsonObject User(string text) => new() { ["role"] = "user", ["parts"] = new JsonArray(new JsonObject { ["text"] = text }) };

        static JsonObject Contents(params JsonNode[] contents) => new() { ["contents"] = new JsonArray(contents) };
    });

    /// <summary>The next request in the hub's words: the answer is said in the surface's, sent back as its client does, with a result for each call.</summary>
    private static JsonNode Next(IChatSurface surface, JsonNode completion, Func<JsonNode, JsonObject> result, string protocol)
    {
        using var exchange = new SurfaceExchange(surface, """{"model":"m"}""");
        var said = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Bytes(completion), new TokenUsage(), said);
        var message = JsonNode.Parse(said.WrittenSpan)!["message"]!.DeepClone();
        var results = message["tool_calls"]?.AsArray().Select(call => result(call!)) ?? [];
        var request = new JsonObject { ["model"] = "m", ["messages"] = new JsonArray([User("?"), message, .. results, User("go on")]) };
        var hub = new ArrayBufferWriter<byte>();
        surface.WriteRequest(Bytes(request), ProviderCases.Provider(protocol), "m", new DroppedFields([], allowed: false, "It"), hub);
        return JsonNode.Parse(hub.WrittenSpan)!;
    }

    /// <summary>The tool whose call a result answers.</summary>
    private static string? NameOf(JsonNode request, JsonNode result) => (string?)request["messages"]![1]!["tool_calls"]!.AsArray()
        .Single(call => (string?)call!["id"] == (string?)result["tool_call_id"])!["function"]!["name"];

    private static void Check(Action<Answer> holds) => Prop.ForAll(Arb.From(Answers), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(12));

    private static JsonNode ReadReply(string protocol, JsonNode reply)
    {
        var hub = new ArrayBufferWriter<byte>();
        var bytes = Bytes(reply);
        ProviderCases.Provider(protocol).ReadReply(ProviderCases.Provider(protocol).Mend(bytes, null) ?? bytes, ProviderCases.Call(), hub);
        return JsonNode.Parse(hub.WrittenSpan)!;
    }

    /// <summary>What a client does: the message goes into the next request as it is.</summary>
    private static JsonObject Next(JsonNode completion)
    {
        var message = completion["choices"]![0]!["message"]!.DeepClone();
        var results = message["tool_calls"]?.AsArray().Select(static call => new JsonObject { ["role"] = "tool", ["tool_call_id"] = call!["id"]!.DeepClone(), ["content"] = "done" }) ?? [];
        return new JsonObject { ["model"] = "m", ["messages"] = new JsonArray([User("?"), message, .. results, User("go on")]) };
    }

    private static JsonNode Write(string protocol, JsonNode request)
    {
        var output = new ArrayBufferWriter<byte>();
        var model = new JsonObject { ["model"] = protocol == "mistral" ? "magistral-medium-latest" : "provider-model" };
        ProviderCases.Provider(protocol).WriteRequest(Bytes(request), ProviderCases.Call(model), output, []);
        return JsonNode.Parse(output.WrittenSpan)!;
    }

    // Arguments are the provider's bytes: what stands there is written as it stands, numbers included.
    private static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());

    private static JsonObject User(string text) => new() { ["role"] = "user", ["content"] = text };

    private static JsonArray AnthropicContent(Answer answer) => new(
    [
        .. answer.Thinking.Length > 0 ? [new JsonObject { ["type"] = "thinking", ["thinking"] = answer.Thinking, ["signature"] = "c2ln" }] : Array.Empty<JsonNode>(),
        .. answer.Hidden ? [new JsonObject { ["type"] = "redacted_thinking", ["data"] = "eA==" }] : Array.Empty<JsonNode>(),
        .. answer.Text.Length > 0 ? [new JsonObject { ["type"] = "text", ["text"] = answer.Text }] : Array.Empty<JsonNode>(),
        .. answer.Calls.Select(static call => new JsonObject { ["type"] = "tool_use", ["id"] = call.Id, ["name"] = call.Name, ["input"] = JsonNode.Parse(call.Arguments) }),
    ]);

    private static JsonArray BedrockContent(Answer answer) => new(
    [
        .. answer.Thinking.Length > 0
            ? [new JsonObject { ["reasoningContent"] = new JsonObject { ["reasoningText"] = new JsonObject { ["text"] = answer.Thinking, ["signature"] = "c2ln" } } }] : Array.Empty<JsonNode>(),
        .. answer.Hidden ? [new JsonObject { ["reasoningContent"] = new JsonObject { ["redactedContent"] = "eA==" } }] : Array.Empty<JsonNode>(),
        .. answer.Text.Length > 0 ? [new JsonObject { ["text"] = answer.Text }] : Array.Empty<JsonNode>(),
        .. answer.Calls.Select(static call => new JsonObject { ["toolUse"] = new JsonObject { ["toolUseId"] = call.Id, ["name"] = call.Name, ["input"] = JsonNode.Parse(call.Arguments) } }),
    ]);

    // Google wants its thoughts not back, but the signatures.
    private static JsonArray GeminiParts(Answer answer, bool withThoughts) => new(
    [
        .. withThoughts && answer.Thinking.Length > 0 ? [new JsonObject { ["text"] = answer.Thinking, ["thought"] = true }] : Array.Empty<JsonNode>(),
        .. answer.Text.Length > 0 ? [new JsonObject { ["text"] = answer.Text, ["thoughtSignature"] = "dGV4dA==" }] : Array.Empty<JsonNode>(),
        .. answer.Calls.Select(static call => new JsonObject
        {
            ["functionCall"] = new JsonObject { ["id"] = call.Id, ["name"] = call.Name, ["args"] = JsonNode.Parse(call.Arguments) }, ["thoughtSignature"] = "c2ln",
        }),
    ]);

    private static JsonObject CohereMessage(Answer answer, bool isReply)
    {
        var message = new JsonObject { ["role"] = "assistant" };
        if (answer.Thinking.Length > 0 && answer.Calls.Length > 0)
        {
            // Before a call of a tool Cohere's reasoning is its plan.
            message["tool_plan"] = answer.Thinking;
        }

        if (answer.Text.Length > 0)
        {
            message["content"] = isReply || answer.Thinking.Length > 0 && answer.Calls.Length == 0
                ? new JsonArray(
                [
                    .. answer.Thinking.Length > 0 && answer.Calls.Length == 0 ? [new JsonObject { ["type"] = "thinking", ["thinking"] = answer.Thinking }] : Array.Empty<JsonNode>(),
                    new JsonObject { ["type"] = "text", ["text"] = answer.Text },
                ])
                : answer.Text;
        }

        if (answer.Calls.Length > 0)
        {
            message["tool_calls"] = new JsonArray([.. answer.Calls.Select(static call => new JsonObject
            {
                ["id"] = call.Id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
            })]);
        }

        return message;
    }

    private static JsonObject MistralMessage(Answer answer)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = answer.Text };
        if (answer.Thinking.Length > 0)
        {
            message["content"] = new JsonArray(
            [
                new JsonObject { ["type"] = "thinking", ["thinking"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = answer.Thinking }) },
                .. answer.Text.Length > 0 ? [new JsonObject { ["type"] = "text", ["text"] = answer.Text }] : Array.Empty<JsonNode>(),
            ]);
        }

        if (answer.Calls.Length > 0)
        {
            message["tool_calls"] = new JsonArray([.. answer.Calls.Select(static (call, index) => new JsonObject
            {
                ["id"] = $"aB3xK9mP{index}", ["type"] = "function", ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
            })]);
        }

        return message;
    }

    private static JsonObject OllamaMessage(Answer answer)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = answer.Text };
        if (answer.Thinking.Length > 0)
        {
            message["thinking"] = answer.Thinking;
        }

        if (answer.Calls.Length > 0)
        {
            message["tool_calls"] = new JsonArray([.. answer.Calls.Select(static call => new JsonObject { ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = JsonNode.Parse(call.Arguments) } })]);
        }

        return message;
    }

    private static Held Exchange(string request, SurfaceProtocol protocol)
    {
        var body = Encoding.UTF8.GetBytes(request);
        var exchange = new RequestExchange(new DefaultHttpContext(), DateTimeOffset.UnixEpoch, 0, 0, new ChatOperation(null!, null!, null!), null, null) { Body = RequestBody.Of(body) };
        Assert.Null(RequestHead.TryRead(body, out exchange.Head, protocol));
        return new Held(exchange);
    }

    private sealed class Held(RequestExchange exchange) : IDisposable
    {
        internal RequestExchange Value { get; } = exchange;

        public void Dispose() => Value.Body.Dispose();
    }

    /// <summary>What a model said.</summary>
    private sealed record Answer(string Text, string Thinking, bool Hidden, (string Id, string Name, string Arguments)[] Calls);

    /// <summary>An answer in a provider's words: the whole reply, the blocks that must come back, and where they stand in the next request.</summary>
    private sealed record Form(Func<Answer, JsonNode> Reply, Func<Answer, JsonNode> Blocks, Func<JsonNode, JsonNode?> BlocksIn);
}
