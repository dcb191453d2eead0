using System.Text;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Chat;

/// <summary>OpenAI's streams, and those of servers that imitate it, on their way through the relay.</summary>
public sealed class StreamRelayTests
{
    private const string Begun = """data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]}""" + "\n\n";

    [Theory]
    [InlineData(1, "", false)]
    [InlineData(1, """{"choices":[{"index":0,"delta":{},"finish_reason":null}]}""", false)]
    [InlineData(1, """{"choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"stop\""}}]}""", false)]
    [InlineData(1, """{"choices":[{"index":0,"delta":{"content":"finish_reason"}}],"finish_reason":"stop","x":[{"finish_reason":"stop"}]}""", false)]
    [InlineData(1, """{"choices":[{"finish_reason" : "stop","delta":{"x":[{}]}}]}""", true)]
    [InlineData(1, """{"\ud800":1,"choices":[{"\ud800":1,"index":0,"delta":{},"finish_reason":"stop"}]}""", true)]
    [InlineData(2, """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""", false)]
    [InlineData(2, """{"choices":[{"finish_reason":"stop","index":1},{"index":0,"delta":{},"finish_reason":"length"}]}""", true)]
    [InlineData(2, """{"choices":[{"finish_reason":"stop","index":1}]}|{"choices":[{"finish_reason":"stop","index":1}]}""", false)]
    [InlineData(2, "[DONE]", true)]
    [InlineData(1, "[DONE] ", true)]
    public void T33_An_answer_is_whole_when_every_choice_has_its_reason_or_all_is_done(int choices, string rest, bool complete)
    {
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"), choices: choices);
        var frames = rest.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(static frame => $"data: {frame}\n\n");
        RelayedStream.Read(relay, Encoding.UTF8.GetBytes(Begun + string.Concat(frames)), static () => 9);

        Assert.Equal(complete, relay.Complete);
        Assert.Null(relay.Error);
    }

    [Fact]
    public void Space_around_a_frame_and_a_frame_of_nothing_break_no_stream()
    {
        const string chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"error\":null}],\"error\": null} \n\n";
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"));
        RelayedStream.Read(relay, Encoding.UTF8.GetBytes(chunk + "data:\n\ndata: \n\n" + chunk + ": still there\n\ndata: [DONE] \n\n"), static () => 5);

        Assert.Equal((true, null), (relay.Complete, relay.Error));
        Assert.Equal(chunk + chunk + ": still there\n\n", Encoding.UTF8.GetString(relay.Output.WrittenSpan));
    }

    [Theory]
    [InlineData("""data: {"choices":[]}""", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {\"choices\":[]}\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {\"choices\":[]}\r\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("dat", "")]
    [InlineData(": half a com", "")]
    public void What_a_connection_ends_in_is_whole_or_nothing_so_that_an_error_can_follow(string last, string relayed)
    {
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"));
        RelayedStream.Read(relay, Encoding.UTF8.GetBytes(Begun + last), static () => 7);

        Assert.Equal(Begun + relayed, Encoding.UTF8.GetString(relay.Output.WrittenSpan));
    }

    [Theory]
    [InlineData("data: 5\n\n")]
    [InlineData("data: <html></html>\n\n")]
    [InlineData("data: {\"choices\":[\n\n")]
    public void A_frame_that_is_no_object_is_malformed(string frame)
    {
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"));

        Assert.Throws<MalformedReplyException>(() => relay.Read(Encoding.UTF8.GetBytes(frame)));
    }

    [Theory]
    [InlineData("""data: {"error":{"message":"This model's maximum context length is 8 tokens.","code":400}}""", "ContextWindow", 400, "provider_context_length_exceeded")]
    [InlineData("""data: {"error":{"message":"Slow down.","code":429},"usage":{"prompt_tokens":1}}""", "RateLimited", 429, "provider_rate_limited")]
    [InlineData("""data: {"object":"error","message":"bad request","type":"BadRequestError","code":400}""", "BadRequest", 400, "provider_bad_request")]
    [InlineData("""data: {"error":{"code":"server_error","message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}""", "Failed", 502, "provider_error")]
    [InlineData("""data: {"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":502,"message":"gone"}}]}""", "Failed", 502, "provider_error")]
    [InlineData("event: error\ndata: it broke", "Failed", 502, "provider_error")]
    [InlineData("""data: {"error":{"message":"Wrong key sk-abcdefghijklmnopqrst","code":401}}""", "Authentication", 502, "provider_auth_failed")]
    public void An_error_says_its_kind_and_is_no_end(string frame, string kind, int status, string code)
    {
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"));
        RelayedStream.Read(relay, Encoding.UTF8.GetBytes(frame + "\n\n" + Begun), static () => 11);

        Assert.Equal((kind, true, false, false), (relay.Error?.Kind.ToString(), relay.Done, relay.Complete, relay.HasOutput));
        var told = AttemptResult.InStream(relay.Error!);
        Assert.Equal((status, code), (told.Status, told.Code));
        Assert.DoesNotContain("sk-", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_passed_costs_no_allocation()
    {
        using var relay = RelayedStream.Open(ProviderCases.Provider("openai"));
        var chunks = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("""data: {"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":null}""" + "\n\n", 10)));
        Pump(relay, chunks);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            Pump(relay, chunks);
        }

        // A thousand frames. The pool may have to make an array once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);

        static void Pump(StreamRelay relay, byte[] chunks)
        {
            relay.Read(chunks);
            relay.Output.ResetWrittenCount();
        }
    }
}
