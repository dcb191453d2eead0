using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Responses;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Responses;

/// <summary>Chat has no namespaces: whatever stands in which, each tool has a name of its own there, and its own again in the answer.</summary>
public sealed class ResponseToolNamesTests
{
    private const string Dotted = "files.read";

    private const string Tools = """
        [{"type":"namespace","name":"a","tools":[{"type":"function","name":"b__c"}]},
         {"type":"namespace","name":"a__b","tools":[{"type":"function","name":"c"}]},
         {"type":"function","name":"a__b__c"},{"type":"function","name":"files.read"}]
        """;

    private static readonly (string? Space, string Name)[] Own = [("a", "b__c"), ("a__b", "c"), (null, "a__b__c"), (null, Dotted)];

    [Fact]
    public void EachToolHasAChatNameOfItsOwn_AndTheOneWithoutANamespaceKeepsIts()
    {
        var names = NamesOf(Said(0));

        Assert.Equal(4, names.Distinct().Count());
        Assert.Equal("a__b__c", names[2]);
        Assert.All(names, static name => Assert.Matches("^[a-zA-Z0-9_-]{1,64}$", name));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void HistoryChoiceAndAnswer_MeanTheSameTool(int tool)
    {
        var said = Said(tool);
        var name = NamesOf(said)[tool];

        Assert.Equal(name, (string?)said["tool_choice"]!["function"]!["name"]);
        Assert.Equal(name, (string?)said["messages"]![0]!["tool_calls"]![0]!["function"]!["name"]);

        var surface = new ResponsesSurface(null!);
        using var exchange = new SurfaceExchange(surface, Request(tool));
        var output = new ArrayBufferWriter<byte>();
        surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes(
            $$"""{"choices":[{"index":0,"message":{"tool_calls":[{"id":"t","type":"function","function":{"name":"{{name}}","arguments":"{}"} }]},"finish_reason":"tool_calls"}]}"""), new TokenUsage(), output);
        var call = JsonNode.Parse(output.WrittenSpan)!["output"]![0]!;
        Assert.Equal(Own[tool], ((string?)call["namespace"], (string)call["name"]!));
    }

    private static string[] NamesOf(JsonNode said) => [.. said["tools"]!.AsArray().Select(static tool => (string)tool!["function"]!["name"]!)];

    private static string Request(int tool)
    {
        var named = $"\"name\":\"{Own[tool].Name}\"" + (Own[tool].Space is { } space ? $",\"namespace\":\"{space}\"" : "");
        return $$"""
            {"model":"m","tools":{{Tools}},"tool_choice":{"type":"function",{{named}}},
             "input":[{"type":"function_call","call_id":"c1",{{named}},"arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"text"}]}
            """;
    }

    private static JsonNode Said(int tool)
    {
        var output = new ArrayBufferWriter<byte>();
        new ResponsesSurface(null!).WriteRequest(Encoding.UTF8.GetBytes(Request(tool)), ProviderCases.Provider("openai"), "some-model", new DroppedFields([], false, "It"), output);
        return JsonNode.Parse(output.WrittenSpan)!;
    }
}
