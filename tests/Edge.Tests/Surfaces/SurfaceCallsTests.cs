using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Responses;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>Calls of tools as OpenAI and the servers that imitate it stream them: on every surface each keeps its id, its name and all of its arguments.</summary>
public sealed class SurfaceCallsTests
{
    private const string Two = "a f {\"x\":1} | b g {\"y\":\"}\"}";

    private static readonly JsonSerializerOptions SameText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Dictionary<string, (string[] Pieces, string Calls)> Ways = new()
    {
        ["heads first"] = (
            ["""{"index":0,"id":"a",F"f",A""}},{"index":1,"id":"b",F"g",A""}}""", """{"index":0,"function":{A"{\"x\":"}}""", """{"index":0,"function":{A"1}"}}""", """{"index":1,"function":{A"{\"y\":\"}"}}""", """{"index":1,"function":{A"\"}"}}"""], Two),
        ["mixed"] = (
            ["""{"index":0,"id":"a",F"f",A"{\"x\""}}""", """{"index":1,"id":"b",F"g",A"{\"y\":\""}}""", """{"index":1,"function":{A"}\"}"}}""", """{"index":0,"function":{A":1}"}}"""], Two),
        ["without index"] = (["""{"id":"a",F"f",A"{\"x\""}}""", """{"function":{A":1}"}}""", """{"id":"b",F"g",A""}}""", """{"function":{A"{\"y\":\"}"}}""", """{"id":"b","function":{A"\"}"}}"""], Two),
        ["all of index 0"] = (["""{"index":0,"id":"a",F"f",A"{\"x\":1}"}}""", """{"index":0,"id":"b",F"g",A"{\"y\":"}}""", """{"index":0,"function":{A"\"}\"}"}}"""], Two),
        ["all of index 0, mixed by id"] = (["""{"index":0,"id":"a",F"f",A""}}""", """{"index":0,"id":"b",F"g",A"{\"y\":"}}""", """{"index":0,"id":"a","function":{A"{\"x\":1}"}}""", """{"index":0,"id":"b","function":{A"\"}\"}"}}"""], Two),
        ["id and name said again"] = (["""{"index":0,"id":"a",F"f",A"{\"x\""}}""", """{"index":0,"id":"a",F"f",A":1}"}}""", """{"index":1,"id":"b",F"g",A"{\"y\":\""}}""", """{"index":1,"id":"b",F"g",A"}\"}"}}"""], Two),
        ["empty ids, one index"] = (["""{"index":0,"id":"",F"f",A"{\"x\":1}"}}""", """{"index":0,"id":"",F"g",A"{\"y\":\"}\"}"}}"""], "? f {\"x\":1} | ? g {\"y\":\"}\"}"),
        ["neither ids nor index"] = (["""{F"f",A""}},{F"g",A"{\"y\":\"}\"}"}}"""], "? f {} | ? g {\"y\":\"}\"}"),
        ["the same id twice"] = (["""{"index":0,"id":"a",F"f",A""}}""", """{"index":1,"id":"a",F"g",A"{\"y\":\"}\"}"}}""", """{"index":0,"function":{A"{\"x\":1}"}}"""], "a f {\"x\":1} | a g {\"y\":\"}\"}"),
        ["three, the middle one empty"] = (["""{"index":0,"id":"a",F"f",A"{}"}}""", """{"index":1,"id":"b",F"g",A""}}""", """{"index":2,"id":"c",F"h",A"{\"z\":[1]}"}}"""], "a f {} | b g {} | c h {\"z\":[1]}"),
    };

    public static TheoryData<string, string> Streams
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var surface in (string[])["messages", "responses", "ollama", "cohere", "assembled"])
            {
                foreach (var way in Ways.Keys)
                {
                    data.Add(surface, way);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Every_piece_reaches_its_call(string surface, string way)
    {
        var (pieces, expected) = Ways[way];
        var calls = Calls(surface, [.. pieces.Select(static piece => "{\"tool_calls\":[" + piece.Replace("F\"", "\"function\":{\"name\":\"", StringComparison.Ordinal).Replace("A\"", "\"arguments\":\"", StringComparison.Ordinal) + "]}")]);

        // What a call was never given is an empty object, or an empty text, by the surface.
        var actual = string.Join(" | ", calls.Select(call => $"{(expected.StartsWith('?') ? "?" : call.Id)} {call.Name} {(call.Arguments.Length == 0 ? "{}" : call.Arguments)}"));
        Assert.Equal(expected, actual);
        if (surface != "assembled")
        {
            // Where the provider gave no id, one is made; but for its own two of the same name each stands once.
            Assert.Equal(way == "the same id twice" ? 1 : calls.Count, calls.Select(static call => call.Id).Where(static id => id.Length > 0).Distinct().Count());
        }
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("cohere")]
    public void A_text_between_pieces_waits_for_the_call_before_it(string surface)
    {
        var said = Said(surface,
        [
            """{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}""",
            """{"content":"Hm."}""",
            """{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}""",
            """{"content":"Then."}""",
            """{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}""",
        ]);

        var blocks = surface == "messages" ? MessageBlocks(said) : CohereBlocks(said);
        var text = string.Join(" | ", blocks.Select(static block => block.Kind == "call" ? $"{block.Id} {block.Name} {block.Text}" : $"text {block.Text}"));
        Assert.Equal("a f {\"x\":1} | text Hm. | b g  | text Then.", text);
    }

    private static List<(string Id, string Name, string Arguments)> Calls(string surface, string[] deltas)
    {
        if (surface == "assembled")
        {
            var assembler = new ChatAssembler("call_");
            foreach (var delta in deltas)
            {
                assembler.Add(Encoding.UTF8.GetBytes("{\"choices\":[{\"index\":0,\"delta\":" + delta + "}]}"));
            }

            return [.. JsonNode.Parse(assembler.ToJson(new TokenUsage()).Span)!["choices"]![0]!["message"]!["tool_calls"]!.AsArray()
                .Select(static call => ((string?)call!["id"] ?? "", (string)call["function"]!["name"]!, (string)call["function"]!["arguments"]!))];
        }

        var said = Said(surface, deltas);
        return surface switch
        {
            "messages" => [.. MessageBlocks(said).Select(static block => (block.Id, block.Name, block.Text))],
            "cohere" => [.. CohereBlocks(said).Select(static block => (block.Id, block.Name, block.Text))],
            "ollama" => [.. said.Where(static line => line["message"]?["tool_calls"] is not null).Select(static line => line["message"]!["tool_calls"]![0]!)
                .Select(static call => ((string)call["id"]!, (string)call["function"]!["name"]!, call["function"]!["arguments"]!.ToJsonString(SameText)))],
            _ => [.. ResponseItems(said)],
        };
    }

    /// <summary>Read as Anthropic's clients do: a block is closed before the next one opens, and only the open one grows.</summary>
    private static List<(string Kind, string Id, string Name, string Text)> MessageBlocks(IEnumerable<JsonNode> events)
    {
        var blocks = new List<(string Kind, string Id, string Name, string Text)>();
        int? open = null;
        foreach (var item in events)
        {
            switch ((string?)item["type"])
            {
                case "content_block_start":
                    Assert.Null(open);
                    open = (int)item["index"]!;
                    Assert.Equal(blocks.Count, open);
                    var block = item["content_block"]!;
                    blocks.Add(((string)block["type"]! == "tool_use" ? "call" : "text", (string?)block["id"] ?? "", (string?)block["name"] ?? "", ""));
                    break;
                case "content_block_delta":
                    Assert.Equal(open, (int)item["index"]!);
                    blocks[^1] = blocks[^1] with { Text = blocks[^1].Text + (string?)item["delta"]!["partial_json"] + (string?)item["delta"]!["text"] };
                    break;
                case "content_block_stop":
                    Assert.Equal(open, (int)item["index"]!);
                    open = null;
                    break;
            }
        }

        Assert.Null(open);
        return blocks;
    }

    private static List<(string Kind, string Id, string Name, string Text)> CohereBlocks(IEnumerable<JsonNode> events)
    {
        var blocks = new List<(string Kind, string Id, string Name, string Text)>();
        string? open = null;
        foreach (var item in events)
        {
            var type = (string)item["type"]!;
            var place = type[..type.LastIndexOf('-')] + item["index"];
            var part = item["delta"]?["message"]?[type.StartsWith("content", StringComparison.Ordinal) ? "content" : "tool_calls"];
            switch (type)
            {
                case "content-start" or "tool-call-start":
                    Assert.Null(open);
                    open = place;
                    blocks.Add((type == "content-start" ? "text" : "call", (string?)part!["id"] ?? "", (string?)part["function"]?["name"] ?? "", ""));
                    break;
                case "content-delta" or "tool-call-delta":
                    Assert.Equal(open, place);
                    blocks[^1] = blocks[^1] with { Text = blocks[^1].Text + (string?)part!["text"] + (string?)part["function"]?["arguments"] };
                    break;
                case "content-end" or "tool-call-end":
                    Assert.Equal(open, place);
                    open = null;
                    break;
            }
        }

        Assert.Null(open);
        return blocks;
    }

    /// <summary>What the deltas of each item say, the item when it is done, and the response at the end are the same.</summary>
    private static IEnumerable<(string Id, string Name, string Arguments)> ResponseItems(List<JsonNode> events)
    {
        foreach (var item in events[^1]["response"]!["output"]!.AsArray())
        {
            var of = events.Where(one => (string?)one["item_id"] == (string)item!["id"]! || (string?)one["item"]?["id"] == (string)item["id"]!).ToList();
            var grown = string.Concat(of.Where(static one => (string)one["type"]! == "response.function_call_arguments.delta").Select(static one => (string)one["delta"]!));
            var arguments = (string)item!["arguments"]!;
            Assert.Equal(arguments, grown.Length == 0 ? "{}" : grown);
            Assert.Equal(["response.output_item.done"], of.Select(static one => (string)one["type"]!).TakeLast(1));
            Assert.Equal(item.ToJsonString(), of[^1]["item"]!.ToJsonString());
            yield return ((string)item["call_id"]!, (string)item["name"]!, arguments);
        }
    }

    private static List<JsonNode> Said(string name, string[] deltas)
    {
        IChatSurface surface = name switch { "messages" => new MessagesSurface(), "responses" => new ResponsesSurface(null!), "ollama" => new OllamaSurface(generates: false, TimeProvider.System), _ => new CohereSurface() };
        using var exchange = new SurfaceExchange(surface, """{"model":"m","input":"x","stream":true}""");
        using var stream = surface.OpenStream(exchange.Value);
        var output = new ArrayBufferWriter<byte>();
        foreach (var delta in deltas)
        {
            stream.Read(Encoding.UTF8.GetBytes("data: {\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":\"\"}]}\n\n"), output);
        }

        stream.Read("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"u8, output);
        stream.End(new TokenUsage { Input = 1, Output = 2 }, null, output);
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Select(static line => line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : line)
            .Where(static line => line.StartsWith('{')).Select(static line => JsonNode.Parse(line)!)];
    }
}
