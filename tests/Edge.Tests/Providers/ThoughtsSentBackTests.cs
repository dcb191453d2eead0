using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Edge.Tests.Providers;

/// <summary>Clients send a message back as they got it: thoughts by either name reach the model, or are named, in the same way.</summary>
public sealed class ThoughtsSentBackTests
{
    [Theory]
    [InlineData("anthropic", "claude-opus-4-5", false)]
    [InlineData("bedrock", "anthropic.claude-opus-4-5-v1:0", false)]
    [InlineData("cohere", "command-a-reasoning", true)]
    [InlineData("gemini", "gemini-3-pro", false)]
    [InlineData("mistral", "magistral-medium-latest", true)]
    [InlineData("ollama", "qwen3", true)]
    public void Thoughts_by_their_newer_name_go_where_those_by_the_other_go(string protocol, string model, bool reach)
    {
        var (expected, named) = Said(protocol, model, """ "reasoning_content":"Well, well." """);
        foreach (var thoughts in (string[])[""" "reasoning":"Well, well." """, """ "reasoning_content":null,"reasoning":"Well, well." """, """ "reasoning":"Well, well.","reasoning_content":"Well, well." """])
        {
            var (said, alsoNamed) = Said(protocol, model, thoughts);
            ProviderCases.AssertSame(JsonNode.Parse(expected), JsonNode.Parse(said));
            Assert.Equal(named, alsoNamed);
        }

        Assert.Equal(reach, expected.Contains("Well, well.", StringComparison.Ordinal));
        Assert.Equal(reach ? [] : ["messages.reasoning_content"], named);
    }

    private static (string Body, List<string> Named) Said(string protocol, string model, string thoughts)
    {
        var dropped = new List<string>();
        var output = new ArrayBufferWriter<byte>();
        var request = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\"," + thoughts + ",\"content\":\"Hi\"},{\"role\":\"user\",\"content\":\"y\"}]}";
        ProviderCases.Provider(protocol).WriteRequest(Encoding.UTF8.GetBytes(request), ProviderCases.Call(new JsonObject { ["model"] = model }), output, dropped);
        return (Encoding.UTF8.GetString(output.WrittenSpan), dropped);
    }
}
