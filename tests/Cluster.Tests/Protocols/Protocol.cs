using System.Text;
using System.Text.Json.Nodes;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>A protocol that the gateway speaks upstream, with the recorded cases that <c>Edge.Tests</c> reads piece by piece: here a server sends them.</summary>
/// <param name="Name">Its name, and its model's in this test's configuration.</param>
/// <param name="Model">The provider and its model, as they are configured.</param>
/// <param name="Folder">Where its cases are.</param>
/// <param name="BasePath">What its address ends in.</param>
/// <param name="Credential">Its credential, as it is configured.</param>
internal sealed record Protocol(string Name, string Model, string Folder, string BasePath = "", string Credential = "api_key: sk-upstream")
{
    private const string VertexAccess = "vertex_project: p\n      vertex_location: r\n      vertex_credentials: ya29.token";
    private const string BedrockAccess = "aws_region_name: eu-west-1\n      aws_access_key_id: AKIDEXAMPLE\n      aws_secret_access_key: secret";

    /// <summary>All of them: <c>ProtocolTests</c> compares them with the folders of the edge.</summary>
    public static IReadOnlyList<Protocol> All { get; } =
    [
        new("openai", "openai/gpt-4o", "OpenAi", "/v1"),
        new("azure", "azure/gpt-4o", "OpenAi"),
        new("mistral", "mistral/mistral-large-latest", "OpenAi", "/v1"),
        new("voyage", "voyage/a-chat", "OpenAi", "/v1"),
        new("anthropic", "anthropic/claude-sonnet-4-5", "Anthropic"),
        new("vertexclaude", "vertex_ai/claude-sonnet-4-5@20250929", "Anthropic", Credential: VertexAccess),
        new("cohere", "cohere/command-a-03-2025", "Cohere"),
        new("gemini", "gemini/gemini-2.5-flash", "Gemini"),
        new("vertex", "vertex_ai/gemini-2.5-flash", "Gemini", Credential: VertexAccess),
        new("bedrock", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", "Bedrock", Credential: BedrockAccess),
        new("ollama", "ollama/llama3.2", "Ollama"),
    ];

    /// <summary>Models that put documents in order, behind protocols that have words for it.</summary>
    public static IReadOnlyList<Protocol> Rerankers { get; } =
    [
        new("cohere-rerank", "cohere/rerank-v3.5", "Cohere"),
        new("voyage-rerank", "voyage/rerank-2.5", "Voyage", "/v1"),
        new("bedrock-rerank", "bedrock/cohere.rerank-v3-5:0", "Bedrock"),
    ];

    /// <summary>Models that embed one text in a call.</summary>
    public static IReadOnlyList<Protocol> OneByOne { get; } = [new("bedrock-titan", "bedrock/amazon.titan-embed-text-v2:0", "Bedrock")];

    /// <summary>Models with a name of an administrator's own, told by their base model.</summary>
    public static IReadOnlyList<Protocol> Profiles { get; } =
    [
        new(
            "bedrock-profile", "bedrock/arn:aws:bedrock:eu-west-1:1:application-inference-profile/x", "Bedrock",
            Credential: BedrockAccess + "\n    model_info:\n      base_model: anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ];

    /// <summary>Servers that speak OpenAI's chat but for what <c>providers.json</c> says. The third answers for a model that reasons: such a one is asked with OpenAI's newer bound.</summary>
    public static IReadOnlyList<Protocol> Quirky { get; } =
    [
        new("groq", "groq/llama-3.3-70b", "OpenAi", "/v1"),
        new("databricks", "databricks/dbrx", "OpenAi", "/v1"),
        new("deepseek", "deepseek/o3", "OpenAi", "/v1"),
    ];

    public static TheoryData<string> Names => new(All.Select(static protocol => protocol.Name));

    /// <summary>Whether the provider's bytes are OpenAI's chat already, and reach a client of it as they are.</summary>
    public bool IsOpenAis => Folder == "OpenAi";

    public static Protocol Of(string name) => All.Single(protocol => protocol.Name == name);

    /// <summary>The names of its cases of a kind: <c>reply</c>, <c>stream</c>, <c>error</c>, an operation.</summary>
    public IEnumerable<string> Cases(string kind) => Directory.EnumerateFiles(FolderOf(kind), "*.json").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!;

    public bool Has(string kind, string name) => File.Exists(Path.Combine(FolderOf(kind), name + ".json"));

    public JsonNode Read(string kind, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(FolderOf(kind), name + ".json")))!;

    /// <summary>What its server answers in that case.</summary>
    public Reply Reply(string kind, string name)
    {
        var test = Read(kind, name);
        return kind switch
        {
            "stream" => TestKit.Providers.Reply.Stream(StreamType).Raw(StreamBytes(name)),
            "error" => TestKit.Providers.Reply.Bytes((int)test["status"]!, "application/json", Encoding.UTF8.GetBytes(Text(test["body"]))),
            _ => TestKit.Providers.Reply.Json(200, Text(test["reply"])),
        };
    }

    /// <summary>The bytes of a recorded stream.</summary>
    public byte[] StreamBytes(string name)
    {
        var file = Directory.EnumerateFiles(FolderOf("stream"), name + ".*").Single(static path => !path.EndsWith(".json", StringComparison.Ordinal));
        return file.EndsWith(".base64", StringComparison.Ordinal) ? Convert.FromBase64String(File.ReadAllText(file)) : File.ReadAllBytes(file);
    }

    public override string ToString() => Name;

    public string StreamType => Folder switch
    {
        "Bedrock" => "application/vnd.amazon.eventstream",
        "Ollama" => "application/x-ndjson",
        _ => "text/event-stream",
    };

    private static string Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node?.ToJsonString() ?? "";

    private string FolderOf(string kind) => Path.Combine(GatewayCluster.Repository, "tests", "Edge.Tests", "Providers", Folder, "Cases", kind);
}
