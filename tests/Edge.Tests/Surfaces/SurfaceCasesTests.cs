using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>
/// The requests of every other client in OpenAI's words: a file for each under <c>X/Cases</c>, with what is said to whom and what is named as left out, or the test that shows it. Each row of the tables in <c>docs/translation.md</c> has cases, and each case a row.
/// </summary>
public sealed class SurfaceCasesTests
{
    private static readonly IChatSurface[] All =
    [
        new OllamaSurface(generates: false, TimeProvider.System), new OllamaSurface(generates: true, TimeProvider.System), new CohereSurface(), new GeminiSurface(streams: false), new GeminiSurface(streams: true),
        new MessagesSurface(), new ResponsesSurface(null!),
    ];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var folder in (string[])["Messages", "Responses", "OllamaApi", "CohereApi", "GeminiApi"])
            {
                foreach (var file in Files(folder))
                {
                    data.Add(folder, Path.GetFileNameWithoutExtension(file));
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_request_is_said_as_recorded(string folder, string name)
    {
        var test = Read(folder, name);
        if ((string?)test["test"] is { } elsewhere)
        {
            // What is no part of the body, or of the request alone.
            Assert.True(TranslationDocument.HasTest(elsewhere), elsewhere);
            return;
        }

        if (test["refused"] is { } refused)
        {
            Assert.Equal((string?)refused, Assert.Throws<UntranslatableRequestException>(() => Said(test, drops: true, [])).Param);
            return;
        }

        var dropped = new List<string>();
        ProviderCases.AssertSame(test["expected"], Said(test, drops: true, dropped));
        Assert.Equal(Names(test, "dropped"), dropped);

        // What only advises is left out in any case; everything else is refused where nothing may be left out.
        if (dropped.Except(Names(test, "strict")).Any())
        {
            Assert.Contains(Assert.Throws<UntranslatableRequestException>(() => Said(test, drops: false, [])).Param, dropped);
        }
        else
        {
            ProviderCases.AssertSame(test["expected"], Said(test, drops: false, []));
        }
    }

    [Theory]
    [InlineData("Messages", "Anthropic's clients")]
    [InlineData("Responses", "OpenAI's Responses")]
    [InlineData("OllamaApi", "Ollama's clients")]
    [InlineData("CohereApi", "Cohere's clients")]
    [InlineData("GeminiApi", "Gemini's clients")]
    public void Every_row_of_the_document_has_a_case_and_every_case_a_row(string folder, string heading)
    {
        var rows = TranslationDocument.Table(heading).Skip(1).Select(static row => row[0]).ToList();

        Assert.NotEmpty(rows);
        Assert.Equal(rows.Order(StringComparer.Ordinal), Files(folder).Select(file => (string)Read(folder, Path.GetFileNameWithoutExtension(file))["row"]!).Distinct().Order(StringComparer.Ordinal));
    }

    private static JsonNode Said(JsonNode test, bool drops, List<string> dropped)
    {
        var surface = All.Single(one => one.CallType == (string?)test["surface"]);
        var provider = ProviderCases.Provider((string)test["to"]!);
        var request = Encoding.UTF8.GetBytes(test["request"]!.ToJsonString());
        Assert.Null(surface.ReadHead(request, out _));
        var output = new ArrayBufferWriter<byte>();
        surface.WriteRequest(request, provider, (string)test["model"]!, new DroppedFields(dropped, drops, "It"), output);
        var said = JsonNode.Parse(output.WrittenSpan)!;

        // And whoever gets it understands it.
        Assert.Null(RequestHead.TryRead(output.WrittenSpan, out _));
        if (drops)
        {
            provider.WriteRequest(output.WrittenMemory, ProviderCases.Call(), new ArrayBufferWriter<byte>(), []);
        }

        return said;
    }

    private static IEnumerable<string> Names(JsonNode test, string field) => test[field]?.AsArray().Select(static name => (string)name!) ?? [];

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, folder, "Cases"), "*.json").Order(StringComparer.Ordinal);

    private static JsonNode Read(string folder, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, folder, "Cases", name + ".json")))!;
}
