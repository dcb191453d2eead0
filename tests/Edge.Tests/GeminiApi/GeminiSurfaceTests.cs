using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.GeminiApi;

public sealed class GeminiSurfaceTests
{
    private const string Request = """{"contents":[{"parts":[{"text":"?"}]}]}""";

    private static readonly TokenUsage Usage = new() { Input = 7, CachedInput = 3, Output = 4, Reasoning = 1 };

    [Theory]
    [InlineData("""{"generationConfig":{"maxOutputTokens":7}}""", 7L, 1)]
    [InlineData("""{"generation_config":{"max_output_tokens":"7","candidate_count":3}}""", 7L, 3)]
    [InlineData("""{"\u0067enerationConfig":{"max\u004futputTokens":7.0,"candidateCount":2,"temperature":1}}""", 7L, 2)]
    [InlineData("""{"generationConfig":{"maxOutputTokens":0,"candidateCount":0}}""", null, 1)]
    [InlineData("""{"generationConfig":null,"max_tokens":1,"stream":true,"n":5}""", null, 1)]
    [InlineData("""{"contents":[{"generationConfig":{"maxOutputTokens":1}}]}""", null, 1)]
    public void The_bound_and_the_number_of_answers_are_those_that_Google_obeys(string request, long? most, int choices)
    {
        Assert.Null(new GeminiSurface(streams: false).ReadHead(Encoding.UTF8.GetBytes(request), out var head));

        Assert.Equal((most, choices, false), (head.MaxTokens, head.Choices, head.Stream));
        Assert.Null(new GeminiSurface(streams: true).ReadHead(Encoding.UTF8.GetBytes(request), out head));
        Assert.True(head.Stream);
    }

    [Theory]
    [InlineData("""{"generationConfig":{"maxOutputTokens":1},"generation_config":{}}""", "generationConfig")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":1},"generationConfig":{}}""", "generationConfig")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":1000}}""", "generationConfig.maxOutputTokens")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":null,"maxOutputTokens":1}}""", "generationConfig.maxOutputTokens")]
    [InlineData("""{"generationConfig":{"candidateCount":1,"candidate_count":8}}""", "generationConfig.candidateCount")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":"many"}}""", "generationConfig.maxOutputTokens")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":-1}}""", "generationConfig.maxOutputTokens")]
    [InlineData("""{"generationConfig":{"maxOutputTokens":1.5}}""", "generationConfig.maxOutputTokens")]
    [InlineData("""{"generationConfig":{"candidateCount":129}}""", "generationConfig.candidateCount")]
    [InlineData("""{"generationConfig":[]}""", "generationConfig")]
    [InlineData("""{"contents":[],"api_key":"x"}""", "api_base")]
    public void What_a_provider_could_read_otherwise_is_refused(string request, string param) =>
        Assert.Equal(param, new GeminiSurface(streams: false).ReadHead(Encoding.UTF8.GetBytes(request), out _)?.Param);

    [Theory]
    [InlineData("""{"contents":[]}""", """{"contents":[]}""")]
    [InlineData("""{ "model":"dear", "contents":[{"model":"x"}], "user":"u" , "disable_fallbacks":true}""", """{  "contents":[{"model":"x"}]}""")]
    [InlineData("""{"contents":[],"metadata":{"tags":["a"]},"a":1}""", """{"contents":[],"a":1}""")]
    public void Of_a_body_that_passes_only_what_is_the_gateways_is_cut(string request, string sent)
    {
        var body = Encoding.UTF8.GetBytes(request);
        Assert.Null(new GeminiSurface(streams: false).ReadHead(body, out var head));

        Assert.Equal(sent, Encoding.UTF8.GetString(new SplicedContent(body, Splice.OfGateway(body, head)).ToArray()));
    }

    [Fact]
    public void The_model_is_put_in_where_Google_wants_it_once_more()
    {
        var body = Encoding.UTF8.GetBytes("""{"model":"models/m","requests":[{"model":"models/m","content":{"model":"x"}},{"content":{},"model":"m"}],"generateContentRequest":{"model":"models/m","contents":[{"model":"x"}]}}""");
        Assert.Null(new GeminiSurface(streams: false).ReadHead(body, out var head));

        Assert.Equal(
            """{"requests":[{"model":"models/p","content":{"model":"x"}},{"content":{},"model":"models/p"}],"generateContentRequest":{"model":"models/p","contents":[{"model":"x"}]}}""",
            Encoding.UTF8.GetString(new SplicedContent(body, GeminiNames.Splices(body, head, "p")).ToArray()));
    }

    [Fact]
    public void A_reply_is_said_in_Geminis_words()
    {
        const string completion = """
            {"choices":[{"index":0,"finish_reason":"tool_calls","logprobs":{"content":[{"token":"H","logprob":-0.5,"bytes":[72],"top_logprobs":[{"token":"I","logprob":-1.50}]}]},
             "message":{"role":"assistant","content":"Caf\u00e9","refusal":null,"reasoning_content":"Hm.","images":[{"image_url":{"url":"data:image/png;base64,AA=="}}],
              "tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50}"},"provider_specific_fields":{"thought_signature":"c2ln"}},
              {"id":"t2","type":"function","function":{"name":"g","arguments":"{half"}}]}},
             {"index":1,"finish_reason":"content_filter","message":{"role":"assistant","content":null,"refusal":"No."}}]}
            """;

        Assert.Equal(
            """{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Caf\u00e9"},{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"functionCall":{"id":"t1","name":"f","args":{"a": 1.50}},"thoughtSignature":"c2ln"},"""
            + """{"functionCall":{"id":"t2","name":"g","args":{"invalid_arguments":"{half"}}}],"role":"model"},"finishReason":"STOP","index":0,"logprobsResult":{"chosenCandidates":[{"token":"H","logProbability":-0.5}],"topCandidates":[{"candidates":[{"token":"I","logProbability":-1.50}]}]}},"""
            + """{"content":{"parts":[{"text":"No."}],"role":"model"},"finishReason":"SAFETY","index":1}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"totalTokenCount":15,"cachedContentTokenCount":3,"thoughtsTokenCount":1},"modelVersion":"m","responseId":"ID"}""",
            Reply(completion, Usage));
        Assert.Equal(
            """{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":8,"totalTokenCount":17"""
            + ""","promptTokensDetails":[{"modality":"TEXT","tokenCount":7},{"modality":"AUDIO","tokenCount":2}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":5},{"modality":"AUDIO","tokenCount":3}]},"modelVersion":"m","responseId":"ID"}""",
            Reply("""{"choices":[{"index":0,"finish_reason":"length","message":{"content":""}}]}""", new TokenUsage { Input = 7, InputAudio = 2, Output = 5, OutputAudio = 3 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stream_is_pieces_and_calls_come_whole_with_the_last(bool asArray)
    {
        var pieces = Stream(asArray, new Money(1_200), [
            """{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}""",
            """{"choices":[{"index":0,"delta":{"reasoning_content":"Hm.","thinking_blocks":[{"type":"thinking","thinking":"Hm."}]}}]}""",
            """{"choices":[{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"","signature":"c2ln"}]}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"H\u00e9"},"logprobs":{"content":[{"token":"H","logprob":-0.5}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"t2","function":{"name":"g","arguments":""}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":" 1.50}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}""",
        ]);

        const string tail = "\"modelVersion\":\"m\",\"responseId\":\"ID\"}";
        Assert.Equal(4, pieces.Length);
        Assert.Equal("""{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true}],"role":"model"},"index":0}],""" + tail, pieces[0]);
        var signature = (string)JsonNode.Parse(pieces[1])!["candidates"]![0]!["content"]!["parts"]![0]!["thoughtSignature"]!;
        var block = Assert.Single(ThinkingSeal.Open(Encoding.UTF8.GetString(Convert.FromBase64String(signature)))!.Value.EnumerateArray());
        Assert.Equal("""{"type":"thinking","thinking":"Hm.","signature":"c2ln"}""", block.GetRawText());
        Assert.Equal("""{"candidates":[{"content":{"parts":[{"text":"H\u00e9"}],"role":"model"},"index":0,"logprobsResult":{"chosenCandidates":[{"token":"H","logProbability":-0.5}],"topCandidates":[{"candidates":[]}]}}],""" + tail, pieces[2]);
        Assert.Equal(
            """{"candidates":[{"content":{"parts":[{"functionCall":{"id":"t1","name":"f","args":{"a": 1.50}}},{"functionCall":{"id":"t2","name":"g","args":{}}}],"role":"model"},"finishReason":"STOP","index":0}]"""
            + ""","usageMetadata":{"cost":0.0000012,"promptTokenCount":10,"candidatesTokenCount":4,"totalTokenCount":15,"cachedContentTokenCount":3,"thoughtsTokenCount":1},""" + tail,
            pieces[3]);
    }

    [Fact]
    public void Answers_that_are_asked_for_at_once_stay_apart()
    {
        var pieces = Stream(asArray: true, null, [
            """{"choices":[{"index":1,"delta":{"content":"b"}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"length"}]}""",
            """{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}""",
        ]);

        Assert.Equal([1, 0], pieces[..2].Select(static piece => (int)JsonNode.Parse(piece)!["candidates"]![0]!["index"]!));
        Assert.Equal(["MAX_TOKENS", "STOP"], JsonNode.Parse(pieces[2])!["candidates"]!.AsArray().Select(static one => (string)one!["finishReason"]!));
    }

    [Theory]
    [InlineData(false, "data: {", "}\n\n")]
    [InlineData(true, "[{", "}]")]
    public void A_stream_that_ends_with_an_error_says_it_as_its_last_piece(bool asArray, string begins, string ends)
    {
        var surface = new GeminiSurface(streams: true, asArray);
        using var exchange = new SurfaceExchange(surface, Request);
        using var stream = surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        stream.Read("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"u8, output);
        stream.Fail(new GatewayError(429, "budget_exceeded", "It's over."), output);

        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.StartsWith(begins, text, StringComparison.Ordinal);
        Assert.EndsWith(ends, text, StringComparison.Ordinal);
        var last = asArray ? JsonNode.Parse(text)![1]! : JsonNode.Parse(text.Split("data: ")[2])!;
        Assert.Equal((429, "It's over.", "RESOURCE_EXHAUSTED"), ((int)last["error"]!["code"]!, (string)last["error"]!["message"]!, (string)last["error"]!["status"]!));
    }

    [Theory]
    [InlineData(400, "INVALID_ARGUMENT")]
    [InlineData(401, "UNAUTHENTICATED")]
    [InlineData(403, "PERMISSION_DENIED")]
    [InlineData(404, "NOT_FOUND")]
    [InlineData(413, "INVALID_ARGUMENT")]
    [InlineData(429, "RESOURCE_EXHAUSTED")]
    [InlineData(500, "INTERNAL")]
    [InlineData(502, "UNAVAILABLE")]
    [InlineData(503, "UNAVAILABLE")]
    [InlineData(504, "DEADLINE_EXCEEDED")]
    public void An_error_has_Googles_name_for_its_status_and_the_gateways_code(int status, string name)
    {
        var output = new ArrayBufferWriter<byte>();
        GeminiError.Write(new GatewayError(status, "a_code", "It's wrong.", "field", TimeSpan.FromSeconds(1.2)), output);

        Assert.Equal(
            $$$"""{"error":{"code":{{{status}}},"message":"It's wrong.","status":"{{{name}}}","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"A_CODE","domain":"gateway","metadata":{"code":"a_code","param":"field"}},"""
            + """{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}""",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void A_passed_stream_is_watched_and_assembled()
    {
        var watched = new GeminiPassedStream(1, new GeminiFraming(isArray: false), assembles: true);
        using var tap = new OutputTap();
        PassedStreamsTests.Watch(watched, Encoding.UTF8.GetBytes("""
            data: {"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"modelVersion":"g"}

            data: {"candidates":[{"content":{"parts":[{"text":"H\u00e9"}],"role":"model"}}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}

            data: {"candidates":[{"content":{"parts":[{"text":"i"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}],"role":"model"},"safetyRatings":[]}],"of_tomorrow":1}

            data: {"candidates":[{"content":{"parts":[{"text":"!"},{"text":"","thoughtSignature":"eA=="}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":2}}


            """), static () => 17, tap);

        Assert.Equal((true, true, new TokenUsage { Input = 3, Output = 4, Reasoning = 2 }), (watched.Ended, watched.HasUsage, watched.Usage));
        Assert.Equal("""HmH\u00e9if{\"a\":1}!""", Encoding.UTF8.GetString(tap.Text));
        ProviderCases.AssertSame(
            JsonNode.Parse("""
                {"candidates":[{"content":{"parts":[{"text":"Hm","thought":true},{"text":"Héi"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},{"text":"!"},{"text":"","thoughtSignature":"eA=="}],"role":"model"},
                 "index":0,"safetyRatings":[],"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":2},"modelVersion":"g","of_tomorrow":1}
                """),
            JsonNode.Parse(watched.Assemble().Span));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_passed_stream_ends_with_its_last_answer(int choices, bool ends)
    {
        var watched = new GeminiPassedStream(choices, new GeminiFraming(isArray: false), assembles: false);
        using var tap = new OutputTap();
        watched.Watch(default, """{"candidates":[{"index":1,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}"""u8, tap);

        Assert.Equal((ends, ends), (watched.Ended, watched.HasUsage));
        watched.Watch(default, """{"candidates":[{"finishReason":"STOP"}]}"""u8, tap);
        Assert.True(watched.Ended);
    }

    [Theory]
    [InlineData("""{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}""", false, "The model is overloaded.")]
    [InlineData("""{"promptFeedback":{"blockReason":"SAFETY"}}""", true, null)]
    public void An_error_and_a_blocked_prompt_end_a_passed_stream(string piece, bool ended, string? error)
    {
        var watched = new GeminiPassedStream(1, new GeminiFraming(isArray: false), assembles: false);
        using var tap = new OutputTap();
        watched.Watch(default, Encoding.UTF8.GetBytes(piece), tap);

        Assert.Equal((ended, error), (watched.Ended, watched.Error?.Message));
    }

    [Fact]
    public void A_passed_stream_is_one_array_for_who_wants_that()
    {
        var watched = new GeminiPassedStream(1, new GeminiFraming(isArray: true), assembles: false);
        using var tap = new OutputTap();
        using var reader = new SseReader();
        reader.Append(": a comment\n\ndata: {\"candidates\":[{}], \"a\":1}\n\ndata: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\ndata: {\"late\":1}\n\n"u8);
        var output = new ArrayBufferWriter<byte>();
        while (reader.TryRead(out var frame))
        {
            if (frame.HasData && !watched.Ended)
            {
                watched.Watch(frame.Name, frame.Data, tap);
            }

            output.Write(watched.Framed(frame).Raw);
        }

        Assert.Equal("[{\"candidates\":[{}], \"a\":1},\n{\"candidates\":[{\"finishReason\":\"STOP\"}]}]", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void What_a_passed_stream_cost_stands_in_its_last_usage()
    {
        using var reader = new SseReader();
        reader.Append("data: {\"candidates\":[],\"usageMetadata\":{\"promptTokenCount\":3}}\n\n"u8);
        Assert.True(reader.TryRead(out var frame));
        var held = new HeldFrames();
        held.Add(frame, withCost: true);
        var output = new ArrayBufferWriter<byte>();
        held.WriteTo(output, new Money(1_200));

        Assert.Equal("data: {\"candidates\":[],\"usageMetadata\":{\"cost\":0.0000012,\"promptTokenCount\":3}}\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [SkippableTheory]
    [InlineData("basic.json", 8, 6, "The provider is Gemini.")]
    [InlineData("tool.json", 20, 8, """get_weather{ \"location\": \"Columbus\" }""")]
    public void Googles_replies_are_read_as_they_pass(string file, long input, long output, string said)
    {
        var reply = Encoding.UTF8.GetBytes(SharedRecordingsTests.Read("vertex-gemini", file).ToJsonString());
        var passed = new GeminiPassed(asArray: false);
        using var tap = new OutputTap();
        passed.CollectText(reply, tap);

        Assert.Equal(new TokenUsage { Input = input, Output = output }, passed.ReadReply(null!, reply));
        Assert.Equal(said.Replace(" ", "", StringComparison.Ordinal), Encoding.UTF8.GetString(tap.Text).Replace(" ", "", StringComparison.Ordinal));
    }

    private static string Reply(string completion, TokenUsage usage)
    {
        var surface = new GeminiSurface(streams: false);
        using var exchange = new SurfaceExchange(surface, Request);
        exchange.Value.Head.ModelName = "m";
        var output = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes(completion), usage, output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Replace(exchange.Value.Id.ToString(), "ID", StringComparison.Ordinal);
    }

    /// <summary>The pieces of a stream, each as its client reads it.</summary>
    private static string[] Stream(bool asArray, Money? cost, string[] chunks)
    {
        var surface = new GeminiSurface(streams: true, asArray);
        using var exchange = new SurfaceExchange(surface, Request);
        exchange.Value.Head.ModelName = "m";
        using var stream = surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        foreach (var chunk in chunks)
        {
            stream.Read(Encoding.UTF8.GetBytes($"data: {chunk}\n\n"), output);
        }

        stream.End(Usage, cost, output);
        var text = Encoding.UTF8.GetString(output.WrittenSpan).Replace(exchange.Value.Id.ToString(), "ID", StringComparison.Ordinal);
        if (!asArray)
        {
            Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
            return [.. text.Split("\n\n")[..^1].Select(static piece => piece["data: ".Length..])];
        }

        Assert.Equal(('[', ']'), (text[0], text[^1]));
        return text[1..^1].Split(",\n");
    }
}
