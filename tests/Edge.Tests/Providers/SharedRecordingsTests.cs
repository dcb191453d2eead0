using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Tests.Providers;

/// <summary>
/// Replies recorded from the real providers. They are not part of the repository: where the folder beside it is missing, the tests are skipped
/// by name.
/// </summary>
public sealed class SharedRecordingsTests
{
    private static readonly string? Folder = Find();

    [SkippableTheory]
    [InlineData("chat-basic.json", 8, 57, 320)]
    [InlineData("chat-reasoning.json", 27, 75, 192)]
    [InlineData("chat-json-mode.json", 21, 24, 256)]
    [InlineData("chat-multimodal.json", 2245, 0, 100)]
    [InlineData("azure-chat-basic.json", 8, 79, 192)]
    [InlineData("completion-basic.json", 31, 25, 0)]
    public void T39_OpenAIs_usage_is_read(string file, long input, long output, long reasoning)
    {
        var body = ProviderCases.Bytes(Read("openai", file)["response"]!["body"]);

        Assert.True(OpenAiUsage.TryRead(body, out var usage));
        Assert.Equal(new TokenUsage { Input = input, Output = output, Reasoning = reasoning }, usage);
    }

    [SkippableFact]
    public void OpenAIs_stream_is_read_in_whatever_pieces_it_comes()
    {
        var bytes = Encoding.UTF8.GetBytes((string)Read("openai", "chat-streaming.json")["response"]!["body"]!);
        var provider = new OpenAiProvider();
        var whole = ProviderCases.ReadStream(provider, bytes, () => bytes.Length);
        Assert.True(whole.Ended);
        Assert.Null(whole.Error);
        Assert.Equal(Encoding.UTF8.GetString(bytes), whole.Frames + "data: [DONE]\n\n");
        Assert.StartsWith("Hi there", (string?)whole.Assemble()["message"]!["content"], StringComparison.Ordinal);

        foreach (var pieces in Effort.Splits(bytes.Length))
        {
            Assert.Equal(whole, ProviderCases.ReadStream(provider, bytes, pieces));
        }
    }

    [SkippableTheory]
    [InlineData("chat-bad-request.json", "BadRequest", "unsupported_parameter")]
    [InlineData("chat-unknown-model.json", "BadRequest", "model_not_found")]
    [InlineData("embeddings-bad-request.json", "BadRequest", "invalid_request_error")]
    public void OpenAIs_errors_are_read(string file, string kind, string code)
    {
        var response = Read("openai", file)["response"]!;

        var error = new OpenAiProvider().ReadError((int)response["status"]!, ProviderCases.Bytes(response["body"]));

        Assert.Equal((kind, code), (error.Kind.ToString(), error.Code));
        Assert.Equal((string?)response["body"]!["error"]!["message"], error.Message);
    }

    [SkippableFact]
    public void T37_T38_Anthropics_reply_is_translated()
    {
        var (reply, usage) = Translate("anthropic", "anthropic", "basic.json");

        Assert.Equal("Hi there! How are you doing today? Is there anything I can help you with?", (string?)reply["choices"]![0]!["message"]!["content"]);
        Assert.Equal(new TokenUsage { Input = 15, CachedInput = 12, CacheWrite5m = 13, Output = 21 }, usage);
        Assert.Equal(40, (int?)reply["usage"]!["prompt_tokens"]);
    }

    [SkippableFact]
    public void T76_Anthropics_tool_call_keeps_its_arguments_byte_for_byte()
    {
        var (reply, usage) = Translate("anthropic", "anthropic", "tool.json");

        var call = reply["choices"]![0]!["message"]!["tool_calls"]![0]!;
        Assert.Equal("""{"location": "San Francisco, CA", "unit": "celsius"}""", (string?)call["function"]!["arguments"]);
        Assert.Equal("tool_calls", (string?)reply["choices"]![0]!["finish_reason"]);
        Assert.Equal(new TokenUsage { Input = 558, CachedInput = 2, CacheWrite5m = 1, Output = 48 }, usage);
    }

    [SkippableFact]
    public void Anthropics_stream_is_translated_in_whatever_pieces_it_comes()
    {
        Skip.If(Folder is null, "The recordings are not beside the repository.");
        var bytes = File.ReadAllBytes(Path.Combine(Folder!, "anthropic", "stream_basic.sse"));
        var provider = ProviderCases.Provider("anthropic");
        var whole = ProviderCases.ReadStream(provider, bytes, () => bytes.Length);
        Assert.True(whole.Ended);
        Assert.Equal("Hi there! How are you doing today? Is there anything I can help you with?", (string?)whole.Assemble()["message"]!["content"]);
        Assert.Equal(new TokenUsage { Input = 15, Output = 21 }, whole.Usage);

        foreach (var pieces in Effort.Splits(bytes.Length))
        {
            Assert.Equal(whole, ProviderCases.ReadStream(provider, bytes, pieces));
        }
    }

    [SkippableFact]
    public void OpenAIs_responses_are_read_as_they_pass()
    {
        Skip.If(Folder is null, "The recordings are not beside the repository.");
        Assert.True(OpenAiUsage.TryRead(File.ReadAllBytes(Path.Combine(Folder!, "responses", "basic.json")), out var usage));
        Assert.Equal(new TokenUsage { Input = 10, Output = 10 }, usage);

        var bytes = File.ReadAllBytes(Path.Combine(Folder!, "responses", "stream.sse"));
        foreach (var pieces in Effort.Splits(bytes.Length))
        {
            var watched = new Gateway.Edge.Responses.ResponsesPassedStream(static _ => { });
            using var tap = new Gateway.Edge.Streaming.OutputTap();
            PassedStreamsTests.Watch(watched, bytes, pieces, tap);
            Assert.True(watched.Ended);
            Assert.Equal(new TokenUsage { Input = 12, Output = 8 }, watched.Usage);
            Assert.Equal("""Hello{\"location\":\"San Francisco\"}""", Encoding.UTF8.GetString(tap.Text));
        }
    }

    [SkippableFact]
    public void Googles_replies_are_translated()
    {
        Assert.Equal("The provider is Gemini.", (string?)Translate("vertex", "vertex-gemini", "basic.json").Reply["choices"]![0]!["message"]!["content"]);
        var (reply, usage) = Translate("vertex", "vertex-gemini", "tool.json");
        var call = reply["choices"]![0]!["message"]!["tool_calls"]![0]!;
        Assert.Equal(("fc_get_weather_1", """{ "location": "Columbus" }"""), ((string?)call["id"], (string?)call["function"]!["arguments"]));
        Assert.Equal("tool_calls", (string?)reply["choices"]![0]!["finish_reason"]);
        Assert.Equal(new TokenUsage { Input = 20, Output = 8 }, usage);
    }

    [SkippableFact]
    public void Amazons_replies_are_translated()
    {
        var (plain, usage) = Translate("bedrock", "bedrock", "basic.json");
        Assert.Equal("Hello world", (string?)plain["choices"]![0]!["message"]!["content"]);
        Assert.Equal(new TokenUsage { Input = 18, Output = 46 }, usage);

        var (reply, none) = Translate("bedrock", "bedrock", "tool.json");
        Assert.Null(none);
        Assert.Null(reply["usage"]);
        Assert.Equal(2, reply["choices"]![0]!["message"]!["tool_calls"]!.AsArray().Count);
    }

    private static (JsonNode Reply, TokenUsage? Usage) Translate(string protocol, string folder, string file)
    {
        Skip.If(Folder is null, "The recordings are not beside the repository.");
        var output = new ArrayBufferWriter<byte>();
        var usage = ProviderCases.Provider(protocol).ReadReply(File.ReadAllBytes(Path.Combine(Folder!, folder, file)), ProviderCases.Call(), output);
        return (JsonNode.Parse(output.WrittenSpan)!, usage.Tokens);
    }

    internal static JsonNode Read(string folder, string file)
    {
        Skip.If(Folder is null, "The recordings are not beside the repository.");
        return JsonNode.Parse(File.ReadAllText(Path.Combine(Folder!, folder, file)))!;
    }

    /// <summary>The folder <c>shared/recordings</c> beside the repository, looked for upwards from where the test runs.</summary>
    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var recordings = Path.Combine(folder.FullName, "shared", "recordings");
            if (Directory.Exists(recordings))
            {
                return recordings;
            }
        }

        return null;
    }
}
