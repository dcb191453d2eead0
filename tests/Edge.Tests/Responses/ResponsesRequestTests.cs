using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Flow;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Responses;

public sealed class ResponsesRequestTests
{
    [Fact]
    public void InstructionsItemsToolsAndFormat_AreSaidInTheWordsOfChat()
    {
        var said = Said("""
            {"model":"m","instructions":"Be terse.","max_output_tokens":9,"temperature":0.5,"stream":true,"store":false,"reasoning":{"effort":"low","summary":"auto"},"user":"u","metadata":{"a":"b"},
             "text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}},
             "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true},{"type":"custom","name":"c","description":"free"}],
             "tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,
             "input":[
              {"role":"developer","content":"Now."},
              {"type":"message","role":"user","content":[{"type":"input_text","text":"Look"},{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"high"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}]},
              {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ok\u2603","annotations":[]}]},
              {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\": 1}"},
              {"type":"custom_tool_call","call_id":"c2","name":"c","input":"raw \"text\""},
              {"type":"function_call_output","call_id":"c1","output":"two"},
              {"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"three"}]},
              {"role":"user","content":"and?"}]}
            """, model: "gpt-oss-120b");

        ProviderCases.AssertSame(JsonNode.Parse("""
            {"model":"m","max_completion_tokens":9,"temperature":0.5,"stream":true,"user":"u","reasoning_effort":"low",
             "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},
             "messages":[{"role":"system","content":"Be terse."},{"role":"system","content":"Now."},
              {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"high"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}]},
              {"role":"assistant","content":"ok☃","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":"c2","type":"function","function":{"name":"c","arguments":"{\"input\":\"raw \\u0022text\\u0022\"}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"two"},{"role":"tool","tool_call_id":"c2","content":"three"},{"role":"user","content":"and?"}],
             "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true}},
              {"type":"function","function":{"name":"c","description":"free","parameters":{"type":"object","properties":{"input":{"type":"string","description":"The tool's whole input, as plain text."}},"required":["input"],"additionalProperties":false}}}],
             "tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}
            """), JsonNode.Parse(said));
    }

    [Fact]
    public void AResult_FollowsItsCall_WhateverStandsBetween()
    {
        var said = Said("""
            {"model":"m","input":[
              {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
              {"type":"message","role":"assistant","content":"And now the other."},
              {"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},
              {"type":"function_call","call_id":"c3","name":"f","arguments":"{}"},
              {"role":"user","content":"Hurry."},
              {"type":"function_call_output","call_id":"c1","output":"one"},
              {"type":"function_call_output","call_id":"c2","output":[{"type":"input_image","image_url":"data:image/png;base64,AA=="}]},
              {"type":"function_call_output","call_id":"c3","output":"three"},
              {"type":"function_call_output","call_id":"c4","output":"of nobody"}]}
            """);

        ProviderCases.AssertSame(JsonNode.Parse("""
            [{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"c1","content":"one"},
             {"role":"assistant","content":"And now the other.","tool_calls":[{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c3","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"c2","content":""},
             {"role":"tool","tool_call_id":"c3","content":"three"},
             {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
             {"role":"user","content":"Hurry."},
             {"role":"tool","tool_call_id":"c4","content":"of nobody"}]
            """), JsonNode.Parse(said)!["messages"]);
    }

    [Fact]
    public void AnIdThatBeginsAnewWithEachAnswer_HasTheResultOfItsOwnCall()
    {
        var said = Said("""
            {"model":"m","input":[
              {"type":"function_call","call_id":"call_0","name":"f","arguments":"{}"},
              {"type":"function_call_output","call_id":"call_0","output":"A"},
              {"type":"function_call","call_id":"call_0","name":"f","arguments":"{}"},
              {"type":"function_call_output","call_id":"call_0","output":"B"},
              {"type":"function_call_output","call_id":"call_0","output":"of nobody"}]}
            """);

        Assert.Equal(["assistant", "A", "assistant", "B", "of nobody"], Turns(said));
    }

    [Fact]
    public void AnEmptyIdAndNone_AreTwo()
    {
        var said = Said("""
            {"model":"m","input":[
              {"type":"function_call","call_id":"","name":"f","arguments":"{}"},
              {"type":"function_call","name":"f","arguments":"{}"},
              {"type":"function_call_output","output":"of none"},
              {"type":"function_call_output","call_id":"","output":"of the empty one"}]}
            """);

        Assert.Equal(["assistant", "of the empty one", "of none"], Turns(said));
    }

    [Fact]
    public void TheSignatureOfATurnWithoutText_IsNamed_AndNoOtherTexts()
    {
        var dropped = new List<string>();
        var said = Said($$"""
            {"model":"m","input":[
              {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"{{TextSignature.Mark("c2ln")}}"},
              {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
              {"type":"function_call_output","call_id":"c1","output":"1"},
              {"role":"assistant","content":"It is one."}]}
            """, "gemini", dropped);

        Assert.DoesNotContain("c2ln", said, StringComparison.Ordinal);
        Assert.Equal(["input.reasoning"], dropped);
    }

    [Fact]
    public void ToolsOfANamespace_AndThoseThatTheInputAdds_AreToolsLikeOthers()
    {
        var dropped = new List<string>();
        var said = JsonNode.Parse(Said("""
            {"model":"m","tools":[{"type":"namespace","name":"files","description":"What is on the disk.","tools":[{"type":"function","name":"read","parameters":{"type":"object"}}]}],
             "tool_choice":{"type":"function","namespace":"files","name":"read"},
             "input":[
              {"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"wait"},{"type":"namespace","name":"files","tools":[{"type":"custom","name":"patch"}]}]},
              {"type":"function_call","call_id":"c1","namespace":"files","name":"read","arguments":"{}"},
              {"type":"function_call_output","call_id":"c1","output":"text"}]}
            """, dropped: dropped))!;

        Assert.Equal(["files__read", "wait", "files__patch"], said["tools"]!.AsArray().Select(tool => (string)tool!["function"]!["name"]!));
        Assert.Equal("files__read", (string?)said["tool_choice"]!["function"]!["name"]);
        Assert.Equal("files__read", (string?)said["messages"]![0]!["tool_calls"]![0]!["function"]!["name"]);
        Assert.Equal(2, said["messages"]!.AsArray().Count);
        Assert.Equal(["tools.namespace.description"], dropped);
    }

    [Theory]
    [InlineData(20, 20, "NNNNNNNNNNNNNNNNNNNN__nnnnnnnnnnnnnnnnnnnn")]
    [InlineData(60, 60, "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN_")]
    public void ANameThatANamespaceMakesTooLong_IsCut(int space, int name, string begins)
    {
        var said = JsonNode.Parse(Said($$"""{"model":"m","input":"x","tools":[{"type":"namespace","name":"{{new string('N', space)}}","tools":[{"type":"function","name":"{{new string('n', name)}}"}]}]}"""))!;

        var named = (string)said["tools"]![0]!["function"]!["name"]!;
        Assert.StartsWith(begins, named, StringComparison.Ordinal);
        Assert.InRange(named.Length, 1, 64);
    }

    [Theory]
    [InlineData("""{"model":"m","input":"x","previous_response_id":"resp_1"}""", "previous_response_id")]
    [InlineData("""{"model":"m","input":"x","prompt":{"id":"p"}}""", "prompt")]
    [InlineData("""{"model":"m","input":[{"type":"item_reference","id":"i"}]}""", "input")]
    [InlineData("""{"model":"m","input":[{"type":"web_search_call","id":"i"}]}""", "input")]
    [InlineData("""{"model":"m","input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}""", "input")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"web_search"}]}""", "tools")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"mcp"}}""", "tool_choice")]
    [InlineData("""{"model":"m"}""", "input")]
    [InlineData("""{"model":"m","input":5}""", "input")]
    public void WhatOnlyOpenAiHas_IsRefused(string request, string param) =>
        Assert.Equal(param, Assert.Throws<UntranslatableRequestException>(() => Said(request)).Param);

    [Fact]
    public void WhatIsLost_IsNamed()
    {
        var dropped = new List<string>();
        Said("""{"model":"m","input":"x","store":true,"truncation":"auto","include":["message.output_text.logprobs"],"max_tool_calls":2,"service_tier":"flex","text":{"verbosity":"low"},"user":"u"}""", "gemini", dropped);

        Assert.Equal(["include", "max_tool_calls", "service_tier", "store", "text.verbosity", "truncation", "user"], dropped.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void SignedThinking_ComesBackToItsModel()
    {
        var seal = new ThinkingSeal();
        foreach (var piece in (string[])["""{"type":"thinking","thinking":"Let me "}""", """{"type":"thinking","thinking":"see.","signature":""}""", """{"type":"thinking","thinking":"","signature":"c2ln"}""", """{"type":"redacted_thinking","data":"eA=="}"""])
        {
            seal.Add(System.Text.Json.JsonElement.Parse(piece));
        }

        var request = new JsonObject
        {
            ["model"] = "m",
            ["input"] = new JsonArray(
                new JsonObject { ["type"] = "reasoning", ["id"] = "rs_1", ["summary"] = new JsonArray(), ["encrypted_content"] = seal.ToText() },
                new JsonObject { ["type"] = "function_call", ["call_id"] = "c1", ["name"] = "f", ["arguments"] = "{}" },
                new JsonObject { ["type"] = "function_call_output", ["call_id"] = "c1", ["output"] = "1" }),
        }.ToJsonString();

        var turn = JsonNode.Parse(Said(request, "anthropic"))!["messages"]![0]!;
        ProviderCases.AssertSame(JsonNode.Parse("""[{"type":"thinking","thinking":"Let me see.","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="}]"""), turn["thinking_blocks"]);
        Assert.Single(turn["tool_calls"]!.AsArray());

        var dropped = new List<string>();
        Assert.DoesNotContain("thinking", Said(request, "openai", dropped), StringComparison.Ordinal);
        Assert.Equal(["input.reasoning"], dropped);
    }

    [Theory]
    [InlineData("""{"model":"m","input":"x","max_tokens":1}""", null)]
    [InlineData("""{"model":"m","input":"x","max_output_tokens":7,"max_tokens":1,"n":3}""", 7L)]
    public void TheBoundOnTheOutput_CountsUnderItsOwnName(string request, long? expected)
    {
        Assert.Null(RequestHead.TryRead(Encoding.UTF8.GetBytes(request), out var head, SurfaceProtocol.Responses));
        Assert.Equal((expected, 1), (head.MaxTokens, head.Choices));
    }

    [Theory]
    [InlineData("""{"model":"m","input":"x","background":true}""", "background")]
    [InlineData("""{"model":"m","input":"x","conversation":"conv_1"}""", "conversation")]
    [InlineData("""{"model":"m","input":"x","api_base":"http://a"}""", "api_base")]
    public void WhatCannotBeHeldToABudgetOrAnOwner_IsRefused(string request, string param) =>
        Assert.Equal(param, RequestHead.TryRead(Encoding.UTF8.GetBytes(request), out _, SurfaceProtocol.Responses)!.Param);

    [Theory]
    [InlineData("openai", "some-model", "reasoning.effort")]
    [InlineData("openai", "o3", "")]
    [InlineData("bedrock", "amazon.nova-pro-v1:0", "reasoning.effort")]
    [InlineData("bedrock", "anthropic.claude-opus-4-6-v1", "")]
    [InlineData("bedrock", "openai.gpt-oss-120b-1:0", "")]
    public void TheEffort_GoesToModelsThatReason_AndIsNamedElsewhere(string protocol, string model, string lost)
    {
        var dropped = new List<string>();
        var said = JsonNode.Parse(Said("""{"model":"m","input":"x","reasoning":{"effort":"low"}}""", protocol, dropped, model))!;

        Assert.Equal(lost, string.Join(',', dropped));
        Assert.Equal(lost.Length == 0 ? "low" : null, (string?)said["reasoning_effort"]);
    }

    [Fact]
    public void AUserThatIsTooLong_IsAHash_AndNamed()
    {
        var dropped = new List<string>();
        var said = JsonNode.Parse(Said($$"""{"model":"m","input":"x","safety_identifier":"{{new string('a', 65)}}"}""", dropped: dropped))!;

        Assert.Equal(["safety_identifier"], dropped);
        Assert.Equal("635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0", (string?)said["user"]);
    }

    /// <summary>Who spoke, and of tools what they answered.</summary>
    private static IEnumerable<string?> Turns(string said) => JsonNode.Parse(said)!["messages"]!.AsArray()
        .Select(static message => (string?)message!["role"] is "tool" ? (string?)message["content"] : (string?)message["role"]);

    private static string Said(string request, string protocol = "openai", List<string>? dropped = null, string model = "some-model")
    {
        var output = new ArrayBufferWriter<byte>();
        new ResponsesSurface(null!).WriteRequest(Encoding.UTF8.GetBytes(request), ProviderCases.Provider(protocol), model, new DroppedFields(dropped ?? [], false, "It"), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
