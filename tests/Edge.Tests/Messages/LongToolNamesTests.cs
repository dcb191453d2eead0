using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Messages;

/// <summary>Anthropic takes longer names of tools than OpenAI does, and agents make use of it.</summary>
public sealed class LongToolNamesTests
{
    private static readonly string Long = "mcp__" + new string('a', 80);

    private static readonly string Request = $$"""
        {"model":"m","max_tokens":9,"tools":[{"name":"{{Long}}","input_schema":{"type":"object"} },{"name":"{{Long}}b","input_schema":{"type":"object"} }],"tool_choice":{"type":"tool","name":"{{Long}}"},
         "messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"{{Long}}","input":{} }]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"}]}]}
        """;

    [Fact]
    public void A_long_name_is_the_same_short_one_everywhere()
    {
        var said = Asked();

        var names = said["tools"]!.AsArray().Select(tool => (string)tool!["function"]!["name"]!).ToArray();
        Assert.Equal(2, names.Distinct().Count());
        Assert.All(names, name => Assert.Equal(64, name.Length));
        Assert.Equal(names[0], (string?)said["tool_choice"]!["function"]!["name"]);
        Assert.Equal(names[0], (string?)said["messages"]![1]!["tool_calls"]![0]!["function"]!["name"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_client_is_told_its_own_name(bool streams)
    {
        var calls = $$"""{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"{{Asked()["tools"]![1]!["function"]!["name"]}}","arguments":"{}"} }]}""";
        var surface = new MessagesSurface();
        using var exchange = new SurfaceExchange(surface, Request);
        var output = new ArrayBufferWriter<byte>();
        if (streams)
        {
            using var stream = surface.OpenStream(exchange.Value);
            stream.Read(Encoding.UTF8.GetBytes($$"""data: {"choices":[{"index":0,"delta":{{calls}},"finish_reason":"tool_calls"}]}""" + "\n\n"), output);
        }
        else
        {
            surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes($$"""{"choices":[{"index":0,"message":{{calls}},"finish_reason":"tool_calls"}]}"""), new TokenUsage(), output);
        }

        Assert.Contains($"\"{Long}b\"", Encoding.UTF8.GetString(output.WrittenSpan), StringComparison.Ordinal);
    }

    private static JsonNode Asked()
    {
        var output = new ArrayBufferWriter<byte>();
        new MessagesSurface().WriteRequest(Encoding.UTF8.GetBytes(Request), ProviderCases.Provider("openai"), "gpt-4", new DroppedFields([], false, "It"), output);
        return JsonNode.Parse(output.WrittenSpan)!;
    }
}
