using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Providers;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Responses;

public sealed class ResponsesStreamTests
{
    private static readonly TokenUsage Usage = new() { Input = 3, CachedInput = 1, Output = 4, Reasoning = 2 };

    private static readonly string[] Chunks =
    [
        """{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}""",
        """{"choices":[{"index":0,"delta":{"reasoning_content":"Hm"}}]}""",
        """{"choices":[{"index":0,"delta":{"reasoning_content":"m."}}]}""",
        """{"choices":[{"index":0,"delta":{"content":"Caf"}}]}""",
        """{"choices":[{"index":0,"delta":{"content":"\u00e9"}}]}""",
        """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","type":"function","function":{"name":"f","arguments":""}}]}}]}""",
        """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c1","type":"function","function":{"name":"g","arguments":"{\"a\":"}}]}}]}""",
        """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"[1, 2.50]}"}}]}}]}""",
        """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"c2","type":"function","function":{"name":"free","arguments":"{\"input\":\"a\\nb\"}"}}]}}]}""",
        """{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}""",
    ];

    [Fact]
    public void EventsComeInOpenAisOrder_WithEveryNumberOnce()
    {
        var events = Events(Chunks);

        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(item => (int)item["sequence_number"]!));
        Assert.Equal(
        [
            "response.created", "response.in_progress",
            "response.output_item.added", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta", "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done",
            "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
            "response.output_text.done", "response.content_part.done", "response.output_item.done",
            "response.output_item.added",
            "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
            "response.output_item.added",
            // The first call's arguments could have come until the end.
            "response.function_call_arguments.done", "response.output_item.done",
            "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "response.output_item.done",
            "response.completed",
        ], events.Select(item => (string)item["type"]!));
    }

    [Fact]
    public void TheWholeResponseAtTheEnd_IsWhatTheItemsSaid_AndWhatAWholeAnswerWouldBe()
    {
        var events = Events(Chunks);
        var response = events[^1]["response"]!;
        var output = response["output"]!.AsArray();

        var done = events.Where(item => (string?)item["type"] == "response.output_item.done").OrderBy(item => (int)item["output_index"]!).Select(item => item["item"]!.ToJsonString());
        Assert.Equal(done, output.Select(item => item!.ToJsonString()));
        Assert.Equal(["reasoning", "message", "function_call", "function_call", "custom_tool_call"], output.Select(item => (string)item!["type"]!));
        Assert.Equal("Hmm.", (string?)output[0]!["summary"]![0]!["text"]);
        Assert.Equal("Café", (string?)output[1]!["content"]![0]!["text"]);
        Assert.Equal(("c0", "f", "{}"), ((string?)output[2]!["call_id"], (string?)output[2]!["name"], (string?)output[2]!["arguments"]));
        Assert.Equal("{\"a\":[1, 2.50]}", (string?)output[3]!["arguments"]);
        Assert.Equal("a\nb", (string?)output[4]!["input"]);
        Assert.Equal("completed", (string?)response["status"]);
        Assert.Equal((4, 6, 1, 2), ((int)response["usage"]!["input_tokens"]!, (int)response["usage"]!["output_tokens"]!,
            (int)response["usage"]!["input_tokens_details"]!["cached_tokens"]!, (int)response["usage"]!["output_tokens_details"]!["reasoning_tokens"]!));

        using var exchange = Exchange();
        var whole = new ArrayBufferWriter<byte>();
        new ResponsesSurface(null!).WriteReply(exchange.Value, Encoding.UTF8.GetBytes("""
            {"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":"Café","reasoning_content":"Hmm.","tool_calls":[
             {"id":"c0","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c1","type":"function","function":{"name":"g","arguments":"{\"a\":[1, 2.50]}"}},
             {"id":"c2","type":"function","function":{"name":"free","arguments":"{\"input\":\"a\\nb\"}"}}]}}]}
            """), Usage, whole);
        Assert.Equal(Comparable(response), Comparable(JsonNode.Parse(whole.WrittenSpan)!));
    }

    [Theory]
    [InlineData("length", "max_output_tokens")]
    [InlineData("content_filter", "content_filter")]
    public void AnAnswerThatIsCut_IsIncomplete(string finish, string reason)
    {
        var events = Events(["""{"choices":[{"index":0,"delta":{"content":"half"}}]}""", $$"""{"choices":[{"index":0,"delta":{},"finish_reason":"{{finish}}"}]}"""]);

        Assert.Equal("response.incomplete", (string?)events[^1]["type"]);
        Assert.Equal(("incomplete", reason), ((string?)events[^1]["response"]!["status"], (string?)events[^1]["response"]!["incomplete_details"]!["reason"]));
        Assert.Equal("incomplete", (string?)events[^1]["response"]!["output"]![0]!["status"]);
    }

    [Fact]
    public void ARefusal_IsAPartOfItsOwn()
    {
        var events = Events(["""{"choices":[{"index":0,"delta":{"content":"Well. "}}]}""", """{"choices":[{"index":0,"delta":{"refusal":"No."}}]}""", """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""]);

        var content = events[^1]["response"]!["output"]![0]!["content"]!.AsArray();
        Assert.Equal(["output_text", "refusal"], content.Select(part => (string)part!["type"]!));
        Assert.Contains("response.refusal.done", events.Select(item => (string)item["type"]!));
    }

    [Fact]
    public void WhatTheAnswerCites_IsToldWhereItsTextCitesIt_WholeAndStreamed()
    {
        const string first = """[{"type":"url_citation","url_citation":{"start_index":0,"end_index":2,"url":"https://a.example","title":"A"}}]""";
        const string second = """[{"type":"url_citation","url_citation":{"start_index":2,"end_index":5,"url":"https://b.example","title":"B"}}]""";
        var events = Events(
        [
            """{"choices":[{"index":0,"delta":{"content":"é\ud83d\ude00"}}]}""".Replace("\\\\", "\\", StringComparison.Ordinal), $$$"""{"choices":[{"index":0,"delta":{"annotations":{{{first}}}}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","function":{"name":"f","arguments":"{}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"two"}}]}""", $$$"""{"choices":[{"index":0,"delta":{"annotations":{{{second}}}}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
        ]);

        var output = events[^1]["response"]!["output"]!;
        ProviderCases.AssertSame(JsonNode.Parse("""[{"type":"url_citation","start_index":0,"end_index":2,"url":"https://a.example","title":"A"}]"""), output[0]!["content"]![0]!["annotations"]);
        // A text behind a call is a message of its own: its characters are counted from its beginning.
        ProviderCases.AssertSame(JsonNode.Parse("""[{"type":"url_citation","start_index":0,"end_index":3,"url":"https://b.example","title":"B"}]"""), output[2]!["content"]![0]!["annotations"]);
        var added = events.Where(static item => (string?)item["type"] == "response.output_text.annotation.added").ToList();
        Assert.Equal([(0, 0, "A"), (2, 0, "B")], added.Select(static item => ((int)item["output_index"]!, (int)item["annotation_index"]!, (string)item["annotation"]!["title"]!)));

        using var exchange = Exchange();
        var whole = new ArrayBufferWriter<byte>();
        new ResponsesSurface(null!).WriteReply(exchange.Value, Encoding.UTF8.GetBytes($$$"""{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ab","annotations":{{{first}}}}}]}"""), Usage, whole);
        ProviderCases.AssertSame(output[0]!["content"]![0]!["annotations"], JsonNode.Parse(whole.WrittenSpan)!["output"]![0]!["content"]![0]!["annotations"]);
    }

    /// <summary>Gemini signs the end of its text in the event that cites it, or in one before.</summary>
    [Theory]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"warm.","thoughtSignature":"c2ln"}]},"finishReason":"STOP",GROUNDING}]}""")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"warm.","thoughtSignature":"c2ln"}]}}]}""", """{"candidates":[{"content":{"parts":[]},"finishReason":"STOP",GROUNDING}]}""")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"warm"},{"text":"","thoughtSignature":"c2ln"},{"text":"."}]}}]}""", """{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP",GROUNDING}]}""")]
    public void ATextThatIsSigned_StaysOpenForWhatItCites(params string[] events)
    {
        const string grounding = """ "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[{"segment":{"endIndex":13,"text":"Rome is warm."},"groundingChunkIndices":[0]}]}""";
        string[] all = ["""{"candidates":[{"content":{"parts":[{"text":"Rome is "}]}}]}""", .. events.Select(static said => said.Replace("GROUNDING", grounding, StringComparison.Ordinal))];
        var frames = ProviderCases.ReadStream(ProviderCases.Provider("gemini"), Encoding.UTF8.GetBytes(string.Concat(all.Select(static said => $"data: {said}\n\n"))), static () => 100_000).Frames;
        using var exchange = Exchange();
        using var stream = new ResponsesStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read(Encoding.UTF8.GetBytes(frames), output);
        stream.End(Usage, null, output);
        var streamed = Parse(output.WrittenSpan)[^1]["response"]!["output"]!.AsArray();

        var (reply, whole) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        ProviderCases.Provider("gemini").ReadReply(
            Encoding.UTF8.GetBytes($$$"""{"candidates":[{"content":{"parts":[{"text":"Rome is warm.","thoughtSignature":"c2ln"}]},"finishReason":"STOP",{{{grounding}}}}]}"""), ProviderCases.Call(), reply);
        new ResponsesSurface(null!).WriteReply(exchange.Value, reply.WrittenMemory, Usage, whole);

        Assert.Empty(exchange.Value.Losses.Names);
        Assert.Equal("https://a.example", (string?)streamed.Single(static item => (string?)item!["type"] == "message")!["content"]![0]!["annotations"]![0]!["url"]);

        // A stream has its signature behind the text that it signs, an answer that comes whole before it.
        Assert.Equal(Said(JsonNode.Parse(whole.WrittenSpan)!["output"]!.AsArray()), Said(streamed));

        static IEnumerable<string> Said(JsonArray items) => items.Select(static item =>
        {
            item!.AsObject().Remove("id");
            return item.ToJsonString();
        }).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void ATextsSignature_ComesBeforeTheNextItem()
    {
        const string signature = """{"choices":[{"index":0,"delta":{"provider_specific_fields":{"thought_signatures":["c2ln"]}}}]}""";
        const string call = """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","function":{"name":"f","arguments":"{}"}}]}}]}""";
        const string text = """{"choices":[{"index":0,"delta":{"content":"x"}}]}""";
        const string thought = """{"choices":[{"index":0,"delta":{"reasoning_content":"Hm."}}]}""";

        Assert.Equal(["message", "reasoning c2ln", "function_call"], Items(text, signature, call));
        Assert.Equal(["reasoning c2ln", "message"], Items(signature, text));
        Assert.Equal(["reasoning c2ln", "message"], Items(thought, signature, text));
        Assert.Equal(["message", "reasoning c2ln"], Items(text, signature, thought));
        Assert.Equal(["function_call", "reasoning c2ln"], Items(call, signature));
        Assert.Equal(["reasoning c2ln"], Items(signature));

        static IEnumerable<string> Items(params string[] chunks) => Events(chunks)[^1]["response"]!["output"]!.AsArray().Select(static item =>
            $"{item!["type"]} {TextSignature.Of((string?)item["encrypted_content"])}".TrimEnd());
    }

    [Fact]
    public void PiecesOfCallsThatComeInterleaved_KeepTheirCall()
    {
        var events = Events(
        [
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c1","function":{"name":"g","arguments":"{\"b\":"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"2}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}""",
        ]);

        Assert.Equal(["{\"a\":1}", "{\"b\":2}"], events[^1]["response"]!["output"]!.AsArray().Select(item => (string)item!["arguments"]!));
        Assert.Equal(2, events.Count(item => (string?)item["type"] == "response.output_item.done"));
    }

    [Fact]
    public void ACallOfANamespacesTool_HasItsOwnNameAgain()
    {
        var events = Events(
        [
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","function":{"name":"files__read","arguments":"{}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c1","function":{"name":"files__patch","arguments":"{\"input\":\"x\"}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"c2","function":{"name":"files__other","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}""",
        ]);

        Assert.Equal(
            [("function_call", "files", "read"), ("custom_tool_call", "files", "patch"), ("function_call", null, "files__other")],
            events[^1]["response"]!["output"]!.AsArray().Select(item => ((string)item!["type"]!, (string?)item["namespace"], (string)item["name"]!)));
    }

    [Fact]
    public void AnError_IsAnEventThatClientsThrowAt()
    {
        using var exchange = Exchange();
        using var stream = new ResponsesStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"u8, output);
        stream.Fail(new GatewayError(429, "budget_exceeded", "Over."), output);

        var last = Parse(output.WrittenSpan)[^1];
        Assert.Equal(("error", "budget_exceeded", "Over.", 5), ((string?)last["type"], (string?)last["code"], (string?)last["message"], (int?)last["sequence_number"]));
        Assert.Equal("budget_exceeded", (string?)last["error"]!["code"]);
    }

    private static string Comparable(JsonNode response)
    {
        response = response.DeepClone();
        foreach (var item in response["output"]!.AsArray())
        {
            item!["id"] = null;
        }

        response["id"] = null;
        return response.ToJsonString();
    }

    [Fact]
    public void WhatIsCitedAndIsNoPage_IsNamed_AndPartsThatAreNeitherTextNorThoughtToo()
    {
        using var exchange = Exchange();
        using var stream = new ResponsesStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read("""data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"See."},{"type":"reference","reference_ids":[1]}]}}]}"""u8, output);
        stream.Read("\n\n"u8, output);
        stream.Read("""data: {"choices":[{"index":0,"delta":{"annotations":[{"type":"file_citation","file_citation":{}},{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":0,"end_index":4}}]}}]}"""u8, output);
        stream.Read("\n\n"u8, output);
        stream.End(Usage, null, output);

        var part = Parse(output.WrittenSpan)[^1]["response"]!["output"]![0]!["content"]![0]!;
        Assert.Equal(("See.", "https://a.example"), ((string)part["text"]!, (string)Assert.Single(part["annotations"]!.AsArray())!["url"]!));
        Assert.Equal(["reference", "annotations"], exchange.Value.Losses.Names);
    }

    private static List<JsonNode> Events(string[] chunks)
    {
        using var exchange = Exchange();
        using var stream = new ResponsesStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        foreach (var chunk in chunks)
        {
            stream.Read(Encoding.UTF8.GetBytes($"data: {chunk}\n\n"), output);
        }

        stream.End(Usage, null, output);
        return Parse(output.WrittenSpan);
    }

    private static List<JsonNode> Parse(ReadOnlySpan<byte> events)
    {
        var parsed = new List<JsonNode>();
        foreach (var frame in Encoding.UTF8.GetString(events).Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = frame.Split('\n');
            var data = JsonNode.Parse(lines[1]["data: ".Length..])!;
            Assert.Equal($"event: {data["type"]}", lines[0]);
            parsed.Add(data);
        }

        return parsed;
    }

    private static Held Exchange()
    {
        var body = Encoding.UTF8.GetBytes("""{"model":"m","input":"x","stream":true,"tools":[{"type":"custom","name":"free"},{"type":"function","name":"f"},{"type":"namespace","name":"files","tools":[{"type":"custom","name":"patch"},{"type":"function","name":"read"}]}],"temperature":0.25}""");
        var exchange = new RequestExchange(new DefaultHttpContext(), DateTimeOffset.UnixEpoch, 0, 0, new ChatOperation(null!, null!, null!), null, null) { Body = RequestBody.Of(body) };
        Assert.Null(RequestHead.TryRead(body, out exchange.Head, SurfaceProtocol.Responses));
        return new Held(exchange);
    }

    private sealed class Held(RequestExchange exchange) : IDisposable
    {
        internal RequestExchange Value { get; } = exchange;

        public void Dispose() => Value.Body.Dispose();
    }
}
