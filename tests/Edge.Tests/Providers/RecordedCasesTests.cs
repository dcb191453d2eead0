using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

/// <summary>Runs each recorded case of each provider.</summary>
public sealed class RecordedCasesTests
{
    public static TheoryData<string, string> Requests => ProviderCases.All("request");

    public static TheoryData<string, string> Replies => ProviderCases.All("reply");

    public static TheoryData<string, string> Streams => ProviderCases.All("stream");

    public static TheoryData<string, string> Errors => ProviderCases.All("error");

    [Theory]
    [MemberData(nameof(Requests))]
    public void Request_is_said_in_the_providers_words(string protocol, string name)
    {
        var test = ProviderCases.Read(protocol, "request", name);
        var output = new ArrayBufferWriter<byte>();
        var dropped = new List<string>();
        if (test["refused"] is { } refused)
        {
            var refusal = Assert.Throws<UntranslatableRequestException>(Write);
            Assert.Equal((string?)refused, refusal.Param);
            return;
        }

        Write();
        ProviderCases.AssertSame(test["expected"], JsonNode.Parse(output.WrittenSpan));
        Assert.Equal(test["dropped"]?.AsArray().Select(item => (string)item!).Order() ?? Enumerable.Empty<string>(), dropped.Order());

        void Write() => ProviderCases.Provider(protocol).WriteRequest(ProviderCases.Bytes(test["request"]), ProviderCases.Call(test["call"]), output, dropped);
    }

    [Theory]
    [MemberData(nameof(Replies))]
    public void Reply_is_said_in_OpenAIs_words(string protocol, string name)
    {
        var test = ProviderCases.Read(protocol, "reply", name);
        var output = new ArrayBufferWriter<byte>();

        var losses = new ReplyLosses();
        var usage = ProviderCases.Provider(protocol).ReadReply(ProviderCases.Bytes(test["reply"]), ProviderCases.Call(test["call"]) with { Losses = losses }, output);

        var actual = JsonNode.Parse(output.WrittenSpan)!;
        Assert.Equal(ProviderCases.Usage(test["usage"]), usage.Tokens);
        Assert.Equal(test["lost"]?.AsArray().Select(item => (string)item!) ?? [], losses.Names);
        ProviderCases.AssertSame(test["message"], actual["choices"]![0]!["message"]);
        Assert.Equal((string?)test["finish_reason"], (string?)actual["choices"]![0]!["finish_reason"]);
        Assert.Equal("chat.completion", (string?)actual["object"]);
        Assert.NotNull((string?)actual["id"]);
        Assert.NotNull((long?)actual["created"]);
        if (usage.Tokens is not null)
        {
            Assert.Equal(usage.Tokens.PromptTokens, (long?)actual["usage"]!["prompt_tokens"]);
            Assert.Equal(usage.Tokens.CompletionTokens, (long?)actual["usage"]!["completion_tokens"]);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Stream_is_the_same_in_whatever_pieces_it_comes(string protocol, string name)
    {
        var provider = ProviderCases.Provider(protocol);
        var test = ProviderCases.Read(protocol, "stream", name);
        var bytes = StreamBytes(protocol, name);
        var losses = new ReplyLosses();
        var call = ProviderCases.Call(test["call"], stream: true) with { Losses = losses };
        var whole = ProviderCases.ReadStream(provider, bytes, () => bytes.Length, call);

        ProviderCases.AssertSame(test["expected"], whole.Assemble());
        Assert.Equal(ProviderCases.Usage(test["usage"]), whole.Usage);
        Assert.Equal((bool?)test["ended"] ?? true, whole.Ended);
        Assert.Equal((string?)test["error"], whole.Error?.Kind.ToString());
        Assert.Equal(test["lost"]?.AsArray().Select(item => (string)item!) ?? [], losses.Names);

        // Those who speak what their base speaks have its recordings, and have them split there.
        foreach (var pieces in ProviderCases.HasOwn(provider, "stream") ? Effort.Splits(bytes.Length) : Effort.Splits(bytes.Length).Take(100))
        {
            Assert.Equal(whole, ProviderCases.ReadStream(provider, bytes, pieces, call));
        }
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void Error_is_told_in_the_gateways_words(string protocol, string name)
    {
        var test = ProviderCases.Read(protocol, "error", name);

        var error = ProviderCases.Provider(protocol).ReadError((int)test["status"]!, ProviderCases.Bytes(test["body"]));

        Assert.Equal((string?)test["kind"], error.Kind.ToString());
        if (test["message"] is { } message)
        {
            Assert.Equal((string?)message, error.Message);
        }

        if (test["code"] is { } code)
        {
            Assert.Equal((string?)code, error.Code);
        }
    }

    /// <summary>A stream stands beside its case: as text, or in base64 where the protocol is binary.</summary>
    internal static byte[] StreamBytes(string protocol, string name)
    {
        var text = ProviderCases.PathOf(protocol, "stream", name + ".sse");
        if (File.Exists(text))
        {
            return File.ReadAllBytes(text);
        }

        var lines = ProviderCases.PathOf(protocol, "stream", name + ".ndjson");
        return File.Exists(lines)
            ? File.ReadAllBytes(lines)
            : Convert.FromBase64String(File.ReadAllText(ProviderCases.PathOf(protocol, "stream", name + ".base64"), Encoding.ASCII));
    }
}
