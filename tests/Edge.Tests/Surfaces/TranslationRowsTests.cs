using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>
/// Each row of <c>docs/translation.md</c> about providers names its recorded cases in <c>Cases/rows.json</c>, each cell its own; here a cell's sign is held to what the case shows.
/// A name with a dot is a test's. (The rows about clients stand in the cases themselves: <see cref="SurfaceCasesTests"/>.)
/// </summary>
public sealed class TranslationRowsTests
{
    /// <summary>The folders of the columns.</summary>
    private static readonly string[] Requests = ["Anthropic", "Cohere", "Gemini", "Bedrock", "Ollama"];
    private static readonly string[] Usage = ["OpenAi", "Anthropic", "Cohere", "Gemini", "Bedrock"];
    private static readonly Dictionary<string, string[]> Classes = new(StringComparer.Ordinal)
    {
        ["input"] = ["input"], ["cached input"] = ["cached"], ["cache write 5 min, 1 h"] = ["write_5m", "write_1h"], ["input audio"] = ["input_audio"], ["reasoning"] = ["reasoning"],
    };

    private static readonly string[][] Operations = [["openai", "azure", "mistral"], ["cohere"], ["gemini"], ["vertex"], ["bedrock"], ["ollama"]];

    private static readonly JsonNode Rows = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Surfaces", "Cases", "rows.json")))!;

    public static TheoryData<string> RequestRows => RowsOf("Requests");

    public static TheoryData<string> ReplyRows => RowsOf("Replies");

    public static TheoryData<string> UsageRows => RowsOf("Usage");

    [Theory]
    [InlineData("Requests", "")]
    [InlineData("Replies", "")]
    [InlineData("Usage", "")]
    [InlineData("Operations besides chat", "operation | by")]
    public void Every_row_names_its_cases(string heading, string first) => Assert.Equal(
        TranslationDocument.Table(heading, first).Skip(1).Select(static row => row[0]).Order(StringComparer.Ordinal),
        Rows[heading]!.AsObject().Select(static row => row.Key).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(RequestRows))]
    public void A_request_is_said_as_its_row_says(string row)
    {
        var cells = Cells("Requests", row);
        var names = TranslationDocument.Names(row);
        var asked = new StringBuilder();
        foreach (var (folder, index) in Requests.Select(static (folder, index) => (folder, index)))
        {
            var cases = Named(Rows["Requests"]![row]![folder]).Select(name => Read(folder, "request", name)).ToList();
            Assert.True(cases.Count > 0 == cells[index + 1].Length > 0, $"{row}: {folder} has cases for an empty cell, or none.");
            foreach (var test in cases)
            {
                var text = (test["request"] as JsonObject)?.ToJsonString() ?? "";
                asked.Append(text);
                Assert.True(names.Length == 0 || Array.Exists(names, name => text.Contains(name, StringComparison.Ordinal)), $"{row}: a case of {folder} asks for nothing of it.");
            }

            AssertSign($"{row}: {folder}", cells[index + 1], names, cases);
        }

        // A row of several fields is held to each of them.
        Assert.All(names, name => Assert.Contains(name, asked.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ReplyRows))]
    public void A_reply_is_said_as_its_row_says(string row)
    {
        var named = Named(Rows["Replies"]![row]).ToList();
        var read = new StringBuilder();
        var said = new StringBuilder();
        foreach (var name in named)
        {
            if (name.Contains('.', StringComparison.Ordinal))
            {
                read.Append(Assert.IsType<string>(TranslationDocument.TextOfTest(name)));
                continue;
            }

            var (folder, kind, test) = name.Split('/') is [var first, var second, var third] ? (first, second, third) : throw new InvalidOperationException(name);
            var recorded = Read(folder, kind, test);
            read.Append(kind == "stream" ? Bytes(folder, test) : recorded["reply"]!.ToJsonString());
            said.Append((recorded["message"] ?? recorded["expected"])?.ToJsonString()).Append(recorded["finish_reason"]).Append(recorded["error"]).Append(recorded["lost"]?.ToJsonString());
        }

        Assert.NotEmpty(named);
        Assert.All(TranslationDocument.Names(row), name => Assert.Contains(name, read.ToString(), StringComparison.Ordinal));
        var becomes = TranslationDocument.Names(Cells("Replies", row)[1]).Except(["message", "delta", "inlineData", "finish_reason", "provider_error"]).ToArray();
        Assert.True(said.Length == 0 || becomes.Length == 0 || Array.Exists(becomes, name => said.ToString().Contains(name, StringComparison.Ordinal)), $"{row}: no case shows what it becomes.");
    }

    [Theory]
    [MemberData(nameof(UsageRows))]
    public void A_class_of_tokens_is_counted_as_its_row_says(string row)
    {
        var cells = Cells("Usage", row);
        foreach (var (folder, index) in Usage.Select(static (folder, index) => (folder, index)))
        {
            var named = Named(Rows["Usage"]![row]![folder]).ToList();
            Assert.True(named.Count > 0 == cells[index + 1].Length > 0, $"{row}: {folder} has cases for an empty cell, or none.");
            var read = new StringBuilder();
            foreach (var name in named)
            {
                read.Append(name.Contains('.', StringComparison.Ordinal) ? Assert.IsType<string>(TranslationDocument.TextOfTest(name)) : Read(folder, "reply", name)["reply"]!.ToJsonString());
            }

            Assert.All(TranslationDocument.Names(cells[index + 1]), name => Assert.Contains(name, read.ToString(), StringComparison.Ordinal));
            var counted = named.Where(static name => !name.Contains('.', StringComparison.Ordinal)).SelectMany(name => Read(folder, "reply", name)["usage"]!.AsObject()).Where(static count => (long)count.Value! > 0).Select(static count => count.Key);
            Assert.True(named.Count == 0 || folder == "OpenAi" || Classes[row].Intersect(counted).Any() == !cells[index + 1].StartsWith("in the output", StringComparison.Ordinal), $"{row}: {folder} counts something else.");
        }
    }

    [Fact]
    public void Every_operation_is_served_by_whom_its_row_says()
    {
        foreach (var row in TranslationDocument.Table("Operations besides chat").Skip(1))
        {
            foreach (var (protocols, cell) in Operations.Zip(row.Skip(1)))
            {
                foreach (var (protocol, kind) in protocols.SelectMany(protocol => KindsOf(row[0]).Select(kind => (protocol, kind))))
                {
                    // An exception stands in the cell by its name: "bytes (not Mistral)", "bytes (Mistral: transcription)".
                    var excepted = (protocol == "mistral" && (cell.Contains("not Mistral", StringComparison.Ordinal) || (cell.Contains("Mistral: transcription", StringComparison.Ordinal) && kind != OperationKind.Transcription)))
                        || (protocol == "azure" && kind is OperationKind.Rerank or OperationKind.Moderations)
                        || (protocol == "mistral" && kind == OperationKind.Rerank);
                    var served = ProviderCases.Provider(protocol).Serve(kind);
                    Assert.True((served is null, served?.Passes ?? false) == (cell == "–" || excepted, cell.StartsWith("bytes", StringComparison.Ordinal) && !excepted), $"{row[0]} of {protocol}: {cell}");
                }
            }
        }
    }

    [Fact]
    public void What_an_operation_costs_is_shown_by_a_test() =>
        Assert.All(Rows["Operations besides chat"]!.AsObject().SelectMany(static row => Named(row.Value)), static name => Assert.True(TranslationDocument.HasTest(name), name));

    [Fact]
    public void Every_provider_speaks_what_its_row_says()
    {
        var rows = TranslationDocument.Table("Providers").Skip(1).SelectMany(static row => row[1].Split(", ").Select(protocol => (Protocol: protocol.Trim('`'), Form: row[2]))).ToList();

        Assert.All(rows, static row => Assert.Equal(
            row.Form.StartsWith("bytes pass", StringComparison.Ordinal), ChatProviders.Find(row.Protocol) is { SpeaksOpenAiChat: true, RewritesOpenAiChat: false }));
        Assert.Equal(ChatProviders.All.Select(static provider => provider.Protocol).Order(StringComparer.Ordinal), rows.Select(static row => row.Protocol).Append("voyage").Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>✓ is said whole, ✗ refused, – left out and named, ~ said and named.</summary>
    private static void AssertSign(string where, string cell, string[] names, List<JsonNode> cases)
    {
        bool Loses(JsonNode test) => test["dropped"]?.AsArray() is { Count: > 0 } dropped
            && (names.Length == 0 || dropped.Any(lost => Array.Exists(names, name => ((string)lost!).Contains(name, StringComparison.Ordinal))));
        var refused = cell.Contains('✗', StringComparison.Ordinal);
        var leftOut = cell.Contains('–', StringComparison.Ordinal) || cell.Contains('~', StringComparison.Ordinal);
        var whole = cell.Contains('✓', StringComparison.Ordinal);
        Assert.True(!refused || cases.Exists(static test => test["refused"] is not null), $"{where}: no case is refused.");
        Assert.True(!leftOut || cases.Exists(Loses), $"{where}: no case names a loss.");
        Assert.True(!whole || cases.Exists(test => test["expected"] is not null && (names.Length == 0 || !Loses(test))), $"{where}: no case is said whole.");
        if (cell.Length > 0 && !refused && !leftOut)
        {
            Assert.True(cases.TrueForAll(test => test["expected"] is not null && (names.Length == 0 || !Loses(test))), $"{where}: a case loses what its cell says.");
        }
    }

    private static string[] Cells(string heading, string row) => TranslationDocument.Table(heading).Single(cells => cells[0] == row);

    private static IEnumerable<OperationKind> KindsOf(string row) => row.Split(',')[0] switch
    {
        "embeddings" => [OperationKind.Embeddings],
        "rerank" => [OperationKind.Rerank],
        "moderations" => [OperationKind.Moderations],
        "images" => [OperationKind.Images],
        "speech" => [OperationKind.Speech, OperationKind.Transcription, OperationKind.Translation],
        _ => throw new InvalidOperationException($"{row} is an operation that nobody knows."),
    };

    private static IEnumerable<string> Named(JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => list.Select(static name => (string)name!),
        _ => [(string)node!],
    };

    private static JsonNode Read(string folder, string kind, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(FolderOf(folder, kind), name + ".json")))!;

    private static string Bytes(string folder, string name)
    {
        var file = Directory.EnumerateFiles(FolderOf(folder, "stream"), name + ".*").Single(static path => !path.EndsWith(".json", StringComparison.Ordinal));
        var text = File.ReadAllText(file);
        return file.EndsWith(".base64", StringComparison.Ordinal) ? Encoding.UTF8.GetString(Convert.FromBase64String(text)) : text;
    }

    private static string FolderOf(string folder, string kind) => Path.Combine(AppContext.BaseDirectory, "Providers", folder, "Cases", kind);

    private static TheoryData<string> RowsOf(string heading) => new(TranslationDocument.Table(heading).Skip(1).Select(static row => row[0]));
}
