using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Tests.Providers.OpenAi;

/// <summary>What is sent to the providers that <c>providers.json</c> gives quirks: a file for each under <c>Cases/quirks</c>.</summary>
public sealed class OpenAiQuirksTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Providers", "OpenAi", "Cases", "quirks");

    public static TheoryData<string> Cases => new(Names);

    private static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.json").Select(static file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_provider_is_sent_what_it_takes(string name)
    {
        var test = Read(name);
        var names = new List<string>();
        ProviderCases.AssertSame(test["sent"], JsonNode.Parse(Said(test, drops: true, names)));
        var dropped = test["dropped"]!.AsArray().Select(static item => (string)item!).ToList();
        Assert.Equal(dropped, names);
        if (dropped.Count > 0)
        {
            Assert.Contains(Assert.Throws<UntranslatableRequestException>(() => Said(test, drops: false, [])).Param, dropped);
        }
        else
        {
            ProviderCases.AssertSame(test["sent"], JsonNode.Parse(Said(test, drops: false, [])));
        }
    }

    [Fact]
    public void Every_provider_with_quirks_has_a_case() => Assert.Equal(
        ProviderCatalogue.All.Where(static provider => provider.Quirks is not null).Select(static provider => provider.Name).Order(StringComparer.Ordinal),
        Names.Select(static name => (string)Read(name)["provider"]!).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Only_who_speaks_OpenAIs_chat_as_it_is_has_quirks_of_it() =>
        Assert.All(ProviderCatalogue.All.Where(static provider => provider.Quirks is not null), static provider => Assert.Equal(ProviderProtocol.OpenAi, provider.Protocol));

    [Theory]
    [InlineData("""{ "model" : "m", "messages" : [ {"role":"user","content":"developer \u00e9", "x" : 1.50} ], "max_tokens" : 5, "\ud800" : 1 }""")]
    [InlineData("""{"model":"m","messages":"none"}""")]
    public void What_a_provider_takes_stays_byte_for_byte(string request)
    {
        var everything = new ProviderQuirks { NoStreamOptions = true, OnlyMaxTokens = true, NoDeveloper = true, Refuses = ["logprobs", "messages.name"] };
        var output = new ArrayBufferWriter<byte>();
        OpenAiQuirks.Write(Encoding.UTF8.GetBytes(request), everything, output, new DroppedFields([], allowed: false, "It"));

        Assert.Equal(request, Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.False(new OpenAiProvider().RewritesOpenAiChat);
    }

    private static string Said(JsonNode test, bool drops, List<string> names)
    {
        var provider = new OpenAiProvider(ProviderCatalogue.Find((string)test["provider"]!)!.Quirks);
        var output = new ArrayBufferWriter<byte>();
        Assert.True(provider.RewritesOpenAiChat);
        provider.WriteRequest(ProviderCases.Bytes(test["request"]), ProviderCases.Call(new JsonObject { ["drop_params"] = drops }), output, names);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")))!;
}
