using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Chat;
using Gateway.Edge.Tests.Streaming;

namespace Gateway.Edge.Tests.Providers;

/// <summary>What every provider must do, whatever it speaks. Providers are found by themselves.</summary>
public sealed class ProviderContractTests
{
    private static readonly string[] RequestCases = ["plain", "stream", "tools", "tool-results", "image", "schema", "effort"];
    private static readonly string[] ReplyCases = ["plain", "tool-call", "parallel-tools", "empty-arguments", "thinking", "refusal", "length", "usage"];
    private static readonly string[] StreamCases = [.. ReplyCases, "cut", "error-mid-stream"];
    private static readonly string[] ErrorCases = ["bad-request", "context-window", "unauthorized", "rate-limited", "failed", "overloaded"];

    public static TheoryData<string> Protocols => ProviderCases.Protocols;

    [Fact]
    public void Every_provider_can_be_found_by_its_protocol()
    {
        Assert.All(ProviderCases.Providers, provider => Assert.IsType(provider.GetType(), ChatProviders.Find(provider.Protocol)));
        Assert.Equal(ProviderCases.Providers.Count, ChatProviders.All.Count);
    }

    [Fact]
    public void Every_protocol_of_the_catalogue_is_spoken() =>
        Assert.All(Enum.GetNames<ProviderProtocol>(), protocol => Assert.NotNull(ChatProviders.Find(protocol)));

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Every_provider_has_the_cases_that_all_must_have(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        AssertHas("reply", ReplyCases);
        AssertHas("stream", StreamCases);
        AssertHas("error", ErrorCases);
        if (!provider.SpeaksOpenAiChat)
        {
            AssertHas("request", RequestCases);
        }

        // What a protocol does not have stands in none.json, with the reason; what is there must not.
        void AssertHas(string kind, string[] names)
        {
            var missing = names.Except(ProviderCases.Files(provider, kind).Select(Path.GetFileNameWithoutExtension));
            var absent = ProviderCases.Absent(provider).Where(name => name.StartsWith(kind + "/", StringComparison.Ordinal)).Select(name => name[(kind.Length + 1)..]);
            Assert.Equal(absent.Order(StringComparer.Ordinal), missing.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void What_clients_send_with_every_request_is_refused_by_none(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        if (provider is { SpeaksOpenAiChat: true, RewritesOpenAiChat: false })
        {
            // The bytes pass.
            return;
        }

        var request = JsonNode.Parse("""
            {
              "model": "m", "n": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": false, "store": false,
              "tool_choice": "auto", "parallel_tool_calls": true, "service_tier": "auto", "metadata": {},
              "tools": [{"type": "function", "function": {"name": "f", "description": "d", "strict": true,
                "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}}],
              "messages": [
                {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
                {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}}]},
                {"role": "assistant", "content": "b", "reasoning_content": "hm", "refusal": null, "annotations": [], "audio": null, "function_call": null,
                 "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "EqQBCg=="}],
                 "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":\"x\"}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "r"}
              ]
            }
            """)!;
        var output = new ArrayBufferWriter<byte>();

        provider.WriteRequest(ProviderCases.Bytes(request), ProviderCases.Call(new JsonObject { ["drop_params"] = false }), output, []);

        Assert.NotNull(JsonNode.Parse(output.WrittenSpan));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void T33_A_stream_that_is_cut_anywhere_is_never_ended(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        var bytes = RecordedCasesTests.StreamBytes(protocol, "plain");
        var whole = ProviderCases.ReadStream(provider, bytes, () => bytes.Length);
        Assert.True(whole.Ended);

        // Up to where the reason to finish is told, nothing may look like an end.
        for (var length = 0; length < bytes.Length; length++)
        {
            StreamResult cut;
            try
            {
                cut = ProviderCases.ReadStream(provider, bytes[..length], () => Math.Max(1, length));
            }
            catch (MalformedReplyException)
            {
                continue;
            }

            Assert.StartsWith(cut.Frames, whole.Frames, StringComparison.Ordinal);
            Assert.Equal(cut.Ended, cut.Frames.Contains("\"finish_reason\":\"", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_reply_that_is_not_the_protocols_is_malformed(string protocol)
    {
        foreach (var reply in (string[])["", "null", "[]", "5", "<html></html>", "{\"a\":", "{"])
        {
            Assert.Throws<MalformedReplyException>(() =>
                ProviderCases.Provider(protocol).ReadReply(Encoding.UTF8.GetBytes(reply), ProviderCases.Call(), new ArrayBufferWriter<byte>()));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_malformed_frame_is_an_error(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        if (provider.SpeaksOpenAiChat)
        {
            Assert.Throws<MalformedReplyException>(() => ProviderCases.ReadStream(provider, "data: {\"choices\":[{\n\n"u8.ToArray(), static () => 100));
            return;
        }

        var stream = provider.OpenStream(ProviderCases.Call(stream: true));
        Assert.Throws<MalformedReplyException>(() => stream.Read("contentBlockDelta"u8, "{\"type\":\"content_block_delta\",\"choices\":[{"u8, new ArrayBufferWriter<byte>()));
        Assert.False(stream.Ended);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Errors_of_all_statuses_have_a_kind_and_words_that_can_be_shown(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        for (var status = 300; status < 600; status++)
        {
            foreach (var body in (string[])["", "<html>nginx at 10.0.0.1</html>", "{\"error\":{\"message\":\"key sk-abcdefghijklmnopqrstuv at http://10.0.0.1:80/x\"}}", "{\"message\":7}", "[[", "{\"error\":null}"])
            {
                var error = provider.ReadError(status, Encoding.UTF8.GetBytes(body));

                Assert.NotEmpty(error.Message);
                Assert.DoesNotContain("sk-abc", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("10.0.0.1", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("<html>", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.Equal(ProviderErrorKind.Authentication, provider.ReadError(401, []).Kind);
        Assert.Equal(ProviderErrorKind.RateLimited, provider.ReadError(429, []).Kind);
        Assert.Equal(ProviderErrorKind.Failed, provider.ReadError(500, []).Kind);
        Assert.Equal(ProviderErrorKind.Failed, provider.ReadError(302, []).Kind);
        Assert.Equal(ProviderErrorKind.BadRequest, provider.ReadError(400, []).Kind);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_target_without_a_key_gets_no_credential_and_no_exception(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        var target = new ProviderTarget("m", new Uri("https://provider.example"), null);
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.ChatAddress(target, stream: true));

        provider.AddHeaders(target, request.Headers);
        await provider.SignAsync(target, request, default, default);

        Assert.Null(request.Headers.Authorization);
        Assert.Equal("provider.example", request.RequestUri!.Host);
        Assert.DoesNotContain("secret", new ProviderTarget("m", target.BaseAddress, "secret") { Cloud = new CloudAccess { SecretAccessKey = "secret" } }.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void No_bytes_of_a_provider_whatever_raise_anything_but_a_malformed_reply(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        var replies = ProviderCases.Files(provider, "reply").Select(file => ProviderCases.Bytes(JsonNode.Parse(File.ReadAllText(file))!["reply"])).ToList();
        var recorded = ProviderCases.Files(provider, "stream").Select(file => RecordedCasesTests.StreamBytes(protocol, Path.GetFileNameWithoutExtension(file))).ToList();
        foreach (var random in Effort.Rounds(3000, protocol.Length))
        {
            var reply = Mutate(replies[random.Next(replies.Count)], random);
            var stream = recorded[random.Next(recorded.Count)];
            // Behind checksums that are right a mutation reaches what reads the payload.
            stream = protocol == "bedrock" && random.Next(4) > 0 ? EventStreamBytes.Mutate(stream, random) : Mutate(stream, random);
            try
            {
                var said = new ArrayBufferWriter<byte>();
                provider.ReadReply(reply, ProviderCases.Call(), said);
                Assert.InRange(said.WrittenCount, 0, (reply.Length * 16) + 8192);
            }
            catch (MalformedReplyException)
            {
            }

            try
            {
                var streams = random.Next(2) == 0;
                using var relay = RelayedStream.Open(provider, streams: streams, choices: random.Next(1, 3));
                RelayedStream.Read(relay, stream, () => random.Next(1, 400));
                if (!streams)
                {
                    relay.Assemble(relay.Usage ?? new());
                }
            }
            catch (MalformedReplyException)
            {
            }

            provider.ReadError(random.Next(300, 600), reply);
        }
    }

    [Theory]
    [InlineData("gemini", """{"candidates":[{"content":{"parts":[{"\ud800":1}]}}]}""")]
    [InlineData("bedrock", """{"output":{"message":{"content":[{"\ud800":1}]}}}""")]
    public void A_name_that_is_no_text_is_a_malformed_reply(string protocol, string reply) => Assert.Throws<MalformedReplyException>(
        () => ProviderCases.Provider(protocol).ReadReply(Encoding.UTF8.GetBytes(reply), ProviderCases.Call() with { Losses = new ReplyLosses() }, new ArrayBufferWriter<byte>()));

    [Theory]
    [MemberData(nameof(Protocols))]
    public void No_request_of_a_caller_whatever_raises_anything_but_a_refusal(string protocol)
    {
        var provider = ProviderCases.Provider(protocol);
        var random = new Random(protocol.Length + 1);
        var requests = ProviderCases.Files(provider, "request").Select(file => ProviderCases.Bytes(JsonNode.Parse(File.ReadAllText(file))!["request"])).ToList();
        for (var round = 0; round < 3000 && requests.Count > 0; round++)
        {
            var request = MutateJson(JsonNode.Parse(requests[random.Next(requests.Count)])!, random);
            var output = new ArrayBufferWriter<byte>();
            try
            {
                provider.WriteRequest(ProviderCases.Bytes(request), ProviderCases.Call(), output, []);
            }
            catch (UntranslatableRequestException)
            {
                continue;
            }

            Assert.NotNull(JsonNode.Parse(output.WrittenSpan));
        }
    }

    internal static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var change = random.Next(1, 5); change > 0 && bytes.Count > 2; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 30), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(((string[])["null", "\"\\ud800\"", "[]", "{}", "-1", "1e99", "\"", "\\", "\n", "true", "\0"])[random.Next(11)]));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 30), bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Another value somewhere: of another kind, odd, or absent.</summary>
    private static JsonNode MutateJson(JsonNode node, Random random)
    {
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = node;
            for (var depth = random.Next(1, 6); depth > 0; depth--)
            {
                if (at is JsonObject { Count: > 0 } parent)
                {
                    var name = parent.ElementAt(random.Next(parent.Count)).Key;
                    if (depth > 1 && parent[name] is JsonObject or JsonArray)
                    {
                        at = parent[name]!;
                        continue;
                    }

                    parent[name] = Odd();
                }
                else if (at is JsonArray { Count: > 0 } list)
                {
                    var index = random.Next(list.Count);
                    if (depth > 1 && list[index] is JsonObject or JsonArray)
                    {
                        at = list[index]!;
                        continue;
                    }

                    list[index] = Odd();
                }

                break;
            }
        }

        return node;

        JsonNode? Odd() => random.Next(9) switch
        {
            0 => null,
            1 => new JsonArray(),
            2 => new JsonObject(),
            3 => -1,
            4 => 1e300,
            5 => "",
            6 => "data:",
            7 => true,
            _ => new JsonArray(null, 5, "x", new JsonObject { ["type"] = "text" }),
        };
    }
}
