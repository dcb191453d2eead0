using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Messages;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Responses;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>Answers of servers that imitate OpenAI in their own way, whole and streamed: every surface's client finds in them what the server meant.</summary>
public sealed class ImitatedAnswersTests
{
    private static readonly IChatSurface[] All =
        [new MessagesSurface(), new ResponsesSurface(null!), new OllamaSurface(generates: false, TimeProvider.System), new CohereSurface(), new GeminiSurface(streams: true)];

    public static TheoryData<string, bool> Ways
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var surface in All)
            {
                data.Add(surface.CallType, true);
                data.Add(surface.CallType, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Thoughts_are_found_by_their_newer_name(string surface, bool streams)
    {
        Assert.Contains("Well, well.", Said(surface, streams, """{"reasoning":"Well, well.","content":"Hi"}""", "stop"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Thoughts_that_stand_there_by_both_names_are_said_once(string surface, bool streams)
    {
        var said = Said(surface, streams, """{"reasoning":"Well.","reasoning_content":"Well.","content":"Hi"}""", "stop");

        // Responses' events say each text when it grows, when it is done, in its item and in the whole.
        Assert.Equal(surface == "responses" && streams ? 5 : 1, said.Split("Well.").Length - 1);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Text_and_thoughts_are_found_in_a_list(string surface, bool streams)
    {
        var said = Said(surface, streams, """{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Well, well."}]},{"type":"text","text":"Good day."}]}""", "stop");

        Assert.Contains("Well, well.", said, StringComparison.Ordinal);
        Assert.Contains("Good day.", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anthropic_messages", true, "stop_reason\":\"tool_use")]
    [InlineData("anthropic_messages", false, "stop_reason\":\"tool_use")]
    [InlineData("cohere_chat", true, "TOOL_CALL")]
    [InlineData("cohere_chat", false, "TOOL_CALL")]
    public void An_answer_that_calls_and_says_stop_ended_for_its_call(string surface, bool streams, string word)
    {
        Assert.Contains(word + "\"", Said(surface, streams, """{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]}""", "stop"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anthropic_messages", "max_tokens")]
    [InlineData("cohere_chat", "MAX_TOKENS")]
    [InlineData("generate_content_stream", "MAX_TOKENS")]
    [InlineData("ollama_chat", "length")]
    [InlineData("responses", "reason\":\"max_output_tokens")]
    public void Mistrals_word_for_a_full_window_is_a_length(string surface, string word)
    {
        foreach (var streams in (bool[])[true, false])
        {
            Assert.Contains($"\"{word}\"", Said(surface, streams, """{"content":"Hi"}""", "model_length"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("anthropic_messages", "content")]
    [InlineData("cohere_chat", "message")]
    public void A_call_without_an_id_is_given_one(string surface, string holder)
    {
        var said = JsonNode.Parse(Said(surface, streams: false, """{"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}},{"id":"","function":{"name":"g","arguments":"{}"}}]}""", "tool_calls"))!;
        var calls = holder == "content" ? said["content"]!.AsArray() : said["message"]!["tool_calls"]!.AsArray();

        Assert.Equal(2, calls.Select(static call => (string?)call!["id"]).Where(static id => id is { Length: > 0 }).Distinct().Count());
    }

    [Theory]
    [InlineData("anthropic_messages")]
    [InlineData("cohere_chat")]
    [InlineData("generate_content_stream")]
    [InlineData("ollama_chat")]
    [InlineData("responses")]
    public void Whole_calls_are_as_many_as_there_are_whatever_their_ids(string surface)
    {
        var said = Said(surface, streams: false, """
            {"tool_calls":[{"id":"search","function":{"name":"f","arguments":"{\"q\":1}"}},{"id":"search","function":{"name":"f","arguments":"{\"q\":2}"}},{"index":0,"function":{"arguments":"{\"q\":3}"}},
             {"id":"call_4","function":{"name":"f","arguments":""}},{"id":"call_4","function":{"name":"f","arguments":"{\"q\":5}"}}]}
            """, "tool_calls").Replace("\\u0022", "\"", StringComparison.Ordinal).Replace("\\", "", StringComparison.Ordinal);

        Assert.All((int[])[1, 2, 3, 5], one => Assert.Contains($"{{\"q\":{one}}}", said, StringComparison.Ordinal));
        Assert.DoesNotContain("}{", said, StringComparison.Ordinal);
        var ids = Regex.Matches(said, "\"(?:call_)?id\":\"([^\"]*)\"").Select(static id => id.Groups[1].Value).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.DoesNotContain("", ids);
    }

    private static string Said(string name, bool streams, string message, string reason)
    {
        var surface = All.Single(one => one.CallType == name);
        using var exchange = new SurfaceExchange(surface, """{"model":"m","input":"x","stream":true}""");
        var output = new ArrayBufferWriter<byte>();
        var usage = new TokenUsage { Input = 1, Output = 2 };
        if (streams)
        {
            using var stream = surface.OpenStream(exchange.Value);
            stream.Read(Encoding.UTF8.GetBytes("data: {\"choices\":[{\"index\":0,\"delta\":" + message + ",\"finish_reason\":null}]}\n\n"), output);
            stream.Read(Encoding.UTF8.GetBytes("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"}]}\n\n"), output);
            stream.End(usage, null, output);
        }
        else
        {
            surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes("{\"choices\":[{\"index\":0,\"message\":" + message + ",\"finish_reason\":\"" + reason + "\"}]}"), usage, output);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
