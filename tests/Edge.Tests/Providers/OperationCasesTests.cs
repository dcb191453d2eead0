using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

/// <summary>
/// The operations besides chat that a protocol has words of its own for: files under <c>Providers/X/Cases/{operation}</c>, each with the
/// caller's request, what the provider must be sent, what it answers and what the caller must get.
/// </summary>
public sealed class OperationCasesTests
{
    /// <summary>Every protocol and operation that is translated; who adds one cannot forget its cases.</summary>
    public static TheoryData<string, string> Translated
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var provider in ProviderCases.Providers)
            {
                foreach (var kind in Enum.GetValues<OperationKind>())
                {
                    if (provider.Serve(kind) is { Passes: false })
                    {
                        data.Add(provider.Protocol, kind.ToString());
                    }
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Translated))]
    public void A_translated_operation_is_said_both_ways_as_recorded(string protocol, string kind)
    {
        var provider = ProviderCases.Provider(protocol);
        var folder = FolderOf(provider, kind);
        Assert.True(Directory.Exists(folder), $"{protocol} translates {kind}: put cases under {folder}.");
        var upstream = provider.Serve(Enum.Parse<OperationKind>(kind))!;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            Check(Path.GetFileName(file), JsonNode.Parse(File.ReadAllText(file))!, upstream);
        }
    }

    [Fact]
    public void T84_No_reply_whatever_raises_anything_but_a_malformed_reply()
    {
        var recorded = new List<(IUpstreamOperation Upstream, ChatCall Call, byte[] Request, byte[] Reply)>();
        foreach (var row in Translated)
        {
            var provider = ProviderCases.Provider((string)row[0]);
            foreach (var file in Directory.EnumerateFiles(FolderOf(provider, (string)row[1]), "*.json").Order(StringComparer.Ordinal))
            {
                var test = JsonNode.Parse(File.ReadAllText(file))!;
                if (test["reply"] is { } reply)
                {
                    recorded.Add((provider.Serve(Enum.Parse<OperationKind>((string)row[1]))!, ProviderCases.Call(test["call"]), ProviderCases.Bytes(test["request"]), ProviderCases.Bytes(reply)));
                }
            }
        }

        foreach (var random in Effort.Rounds(5000, 13))
        {
            var (upstream, call, request, reply) = recorded[random.Next(recorded.Count)];
            using var head = new HttpResponseMessage();
            try
            {
                upstream.ReadReply(ProviderContractTests.Mutate(reply, random), new OperationCall(call, request, head.Headers), new ArrayBufferWriter<byte>());
            }
            catch (MalformedReplyException)
            {
            }
        }
    }

    private static string FolderOf(IChatProvider provider, string kind) =>
        Path.Combine(AppContext.BaseDirectory, "Providers", provider.GetType().Name[..^"Provider".Length], "Cases", kind.ToLowerInvariant());

    private static void Check(string name, JsonNode test, IUpstreamOperation upstream)
    {
        var request = ProviderCases.Bytes(test["request"]);
        var call = ProviderCases.Call(test["call"]);
        var sent = new ArrayBufferWriter<byte>();
        var dropped = new List<string>();
        if (test["refused"] is { } refused)
        {
            Assert.Equal((string?)refused, Assert.Throws<UntranslatableRequestException>(Write).Param);
            return;
        }

        Write();
        ProviderCases.AssertSame(test["sent"], JsonNode.Parse(sent.WrittenSpan));
        Assert.Equal(test["dropped"]?.AsArray().Select(item => (string)item!).Order() ?? Enumerable.Empty<string>(), dropped.Order());
        if (test["address"] is { } address)
        {
            var target = new ProviderTarget(call.ProviderModel, new Uri("https://h.example"), "k") { Cloud = new CloudAccess { Project = "p", Region = "r" } };
            Assert.Equal((string?)address, upstream.Address(target).AbsoluteUri);
        }

        if (test["reply"] is { } reply)
        {
            using var head = new HttpResponseMessage();
            foreach (var (header, value) in test["headers"]?.AsObject() ?? [])
            {
                head.Headers.TryAddWithoutValidation(header, (string?)value);
            }

            var answer = new ArrayBufferWriter<byte>();
            var reported = upstream.ReadReply(ProviderCases.Bytes(reply), new OperationCall(call, request, head.Headers), answer);
            ProviderCases.AssertSame(test["answer"], JsonNode.Parse(answer.WrittenSpan));
            Assert.True(reported == ((bool?)test["reported"] ?? true), $"{name}: whether the usage is the provider's own.");
        }

        // Whatever a provider answers instead, nothing but the one exception comes out.
        foreach (var nonsense in (string[])["", "[]", "{}", "{\"embeddings\":1}", "nonsense", "{\"results\":[1]}", "{\"data\":{}}"])
        {
            using var head = new HttpResponseMessage();
            Assert.ThrowsAny<MalformedReplyException>(() => upstream.ReadReply(
                System.Text.Encoding.UTF8.GetBytes(nonsense), new OperationCall(call, request, head.Headers), new ArrayBufferWriter<byte>()));
        }

        void Write()
        {
            using var asked = JsonDocument.Parse(request);
            upstream.WriteRequest(asked.RootElement, call, sent, new DroppedFields(dropped, call.DropUnsupported, "The provider"));
        }
    }
}
