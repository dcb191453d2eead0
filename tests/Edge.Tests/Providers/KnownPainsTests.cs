using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

/// <summary>What has gone wrong in other gateways: one test for each, by its number.</summary>
public sealed class KnownPainsTests
{
    public static TheoryData<string, string> StreamsWithAnError
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var provider in ProviderCases.Providers)
            {
                foreach (var file in ProviderCases.Files(provider, "stream").Where(file => JsonNode.Parse(File.ReadAllText(file))!["error"] is not null))
                {
                    data.Add(provider.Protocol, Path.GetFileNameWithoutExtension(file));
                }
            }

            return data;
        }
    }

    [Theory]
    [InlineData("openai", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\ndata: [DONE]\n\n")]
    [InlineData("anthropic", "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n")]
    [InlineData("cohere", "data: {\"type\":\"message-start\",\"id\":\"m\"}\n\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n")]
    [InlineData("gemini", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":\"STOP\"}]}\n\n")]
    public void T30_A_stream_that_reports_no_usage_has_none_so_that_it_is_counted(string protocol, string stream)
    {
        var result = ProviderCases.ReadStream(ProviderCases.Provider(protocol), Encoding.UTF8.GetBytes(stream), () => 7);

        Assert.True(result.Ended);
        Assert.Null(result.Usage);
    }

    [Theory]
    [InlineData("anthropic", "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":0,\"output_tokens\":0}}}\n\n")]
    [InlineData("gemini", "data: {\"candidates\":[],\"usageMetadata\":{\"promptTokenCount\":0,\"candidatesTokenCount\":0}}\n\n")]
    [InlineData("cohere", "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":{\"input_tokens\":0,\"output_tokens\":0}}}}\n\n")]
    public void T31_A_reported_zero_is_a_usage(string protocol, string stream)
    {
        var result = ProviderCases.ReadStream(ProviderCases.Provider(protocol), Encoding.UTF8.GetBytes(stream), () => 9);

        Assert.NotNull(result.Usage);
        Assert.Equal(0, result.Usage.PromptTokens + result.Usage.CompletionTokens);
    }

    [Theory]
    [MemberData(nameof(StreamsWithAnError))]
    public void T34_An_error_in_mid_stream_is_told_and_is_no_end(string protocol, string name)
    {
        var result = ProviderCases.ReadStream(ProviderCases.Provider(protocol), RecordedCasesTests.StreamBytes(protocol, name), () => 50);

        Assert.NotNull(result.Error);
        Assert.NotEmpty(result.Error.Message);
        Assert.False(result.Ended);
        Assert.DoesNotContain("\"finish_reason\":\"", result.Frames, StringComparison.Ordinal);
    }

    [Fact]
    public void T76_An_answer_of_Anthropics_comes_back_to_it_as_it_was()
    {
        var content = """[{"type":"thinking","thinking":"Let me \"see\" ☃.","signature":"EqQBCg=="},{"type":"redacted_thinking","data":"EmwKAh=="},{"type":"text","text":"One moment."},{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"São Paulo","days":[1,2.50]}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}]""";
        var provider = ProviderCases.Provider("anthropic");
        var answer = new ArrayBufferWriter<byte>();
        provider.ReadReply(
            Encoding.UTF8.GetBytes("{\"id\":\"msg_1\",\"stop_reason\":\"tool_use\",\"content\":" + content + "}"), ProviderCases.Call(), answer);

        // What a client does: it puts the message into its next request as it is.
        var request = new JsonObject
        {
            ["model"] = "m",
            ["messages"] = new JsonArray(
                new JsonObject { ["role"] = "user", ["content"] = "?" },
                JsonNode.Parse(answer.WrittenSpan)!["choices"]![0]!["message"]!.DeepClone(),
                new JsonObject { ["role"] = "tool", ["tool_call_id"] = "toolu_1", ["content"] = "20" },
                new JsonObject { ["role"] = "tool", ["tool_call_id"] = "toolu_2", ["content"] = "noon" }),
        };
        var output = new ArrayBufferWriter<byte>();
        var dropped = new List<string>();
        provider.WriteRequest(ProviderCases.Bytes(request), ProviderCases.Call(), output, dropped);

        var messages = JsonNode.Parse(output.WrittenSpan)!["messages"]!;
        ProviderCases.AssertSame(JsonNode.Parse(content), messages[1]!["content"]);
        Assert.Equal(2, messages[2]!["content"]!.AsArray().Count);
        Assert.Empty(dropped);
    }

    [Theory]
    [InlineData("data: {}\n\n")]
    [InlineData("data: {\"choices\":null}\n\n")]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")]
    [InlineData("data: {\"object\":\"heartbeat\",\"usage\":\"later\"}\n\n")]
    [InlineData("data: {\"\\ud800\":1,\"usage\":null,\"choices\":[{\"\\ud800\":1,\"finish_reason\":null}]}\n\n")]
    [InlineData("data:\n\n: \"error\"\n\n")]
    public void T84_An_odd_chunk_of_a_compatible_server_does_no_harm(string odd)
    {
        var bytes = Encoding.UTF8.GetBytes(odd + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n" + odd);

        var result = ProviderCases.ReadStream(ProviderCases.Provider("openai"), bytes, () => 3);

        Assert.True(result.Ended);
        Assert.Null(result.Error);
        Assert.Equal(4, result.Usage!.PromptTokens + result.Usage.CompletionTokens);
    }
}
