using System.Text.Json;
using Gateway.SampleProvider.Tests.Answers;

namespace Gateway.SampleProvider.Tests.Cohere;

public sealed class CohereTests(SampleServer server) : IClassFixture<SampleServer>
{
    private const string Body = """{"model":"command-a","messages":[{"role":"user","content":"Where does the river end?"}]}""";

    [Fact]
    public async Task A_chat_bills_its_text_and_counts_the_template_beside_it()
    {
        var answer = await server.PostJson("/v2/chat", Body);
        var text = answer.GetProperty("message").GetProperty("content")[0].GetProperty("text").GetString()!;
        var usage = answer.GetProperty("usage");

        Assert.Equal("COMPLETE", answer.GetProperty("finish_reason").GetString());
        Assert.True(Guid.TryParse(answer.GetProperty("id").GetString(), out _));
        Assert.Equal(Counted.Tokens("Where does the river end?"), usage.GetProperty("billed_units").GetProperty("input_tokens").GetInt32());
        Assert.Equal(Counted.Tokens("Where does the river end?") + 4 + 3, usage.GetProperty("tokens").GetProperty("input_tokens").GetInt32());
        Assert.Equal(Counted.Tokens(text), usage.GetProperty("billed_units").GetProperty("output_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stream_has_the_events_of_version_two_and_the_same_text()
    {
        var whole = await server.PostJson("/v2/chat", Body);
        var (data, _) = await server.PostStream("/v2/chat", Body.Replace("{\"model\"", "{\"stream\":true,\"model\"", StringComparison.Ordinal));
        var events = data[..^1].ConvertAll(frame => JsonElement.Parse(frame));
        var text = string.Concat(events.Where(frame => frame.GetProperty("type").GetString() == "content-delta")
            .Select(frame => frame.GetProperty("delta").GetProperty("message").GetProperty("content").GetProperty("text").GetString()));

        Assert.Equal("[DONE]", data[^1]);
        Assert.Equal(["message-start", "content-start", "content-delta", "content-end", "message-end"],
            events.Select(frame => frame.GetProperty("type").GetString()).Distinct());
        Assert.Equal(whole.GetProperty("message").GetProperty("content")[0].GetProperty("text").GetString(), text);
        Assert.Equal(whole.GetProperty("usage").GetRawText(), events[^1].GetProperty("delta").GetProperty("usage").GetRawText());
    }

    [Fact]
    public async Task A_tool_is_called_streamed_or_not()
    {
        const string body = """{"stream":false,"model":"command-a","messages":[{"role":"user","content":"weather?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}}}]}""";
        var answer = await server.PostJson("/v2/chat", body);
        var (data, _) = await server.PostStream("/v2/chat", body.Replace("false", "true", StringComparison.Ordinal));

        var call = answer.GetProperty("message").GetProperty("tool_calls")[0].GetProperty("function");
        Assert.Equal("TOOL_CALL", answer.GetProperty("finish_reason").GetString());
        Assert.Equal("""{"city":"Paris"}""", call.GetProperty("arguments").GetString());
        Assert.Equal(["message-start", "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end", "message-end"],
            data[..^1].Select(frame => JsonElement.Parse(frame).GetProperty("type").GetString()).Distinct());
    }

    [Fact]
    public async Task Embeddings_come_in_each_type_asked_for()
    {
        var answer = await server.PostJson("/v2/embed",
            """{"model":"embed-v4.0","input_type":"search_query","output_dimension":256,"embedding_types":["float","int8","uint8","binary","ubinary","base64"],"texts":["a river","the sea"]}""");
        var embeddings = answer.GetProperty("embeddings");

        Assert.Equal(256, embeddings.GetProperty("float")[1].GetArrayLength());
        Assert.Equal(256, embeddings.GetProperty("int8")[0].GetArrayLength());
        Assert.Equal(32, embeddings.GetProperty("ubinary")[0].GetArrayLength());
        Assert.Equal(1024, embeddings.GetProperty("base64")[0].GetBytesFromBase64().Length);
        Assert.Equal(Counted.Tokens("a river") + Counted.Tokens("the sea"),
            answer.GetProperty("meta").GetProperty("billed_units").GetProperty("input_tokens").GetInt32());
    }

    [Fact]
    public async Task Reranking_puts_first_what_shares_the_querys_words()
    {
        var answer = await server.PostJson("/v2/rerank", """{"model":"rerank-v3.5","query":"big dog","documents":["a cat","a fish","a big dog"],"top_n":2}""");
        var results = answer.GetProperty("results");

        Assert.Equal(2, results.GetArrayLength());
        Assert.Equal(2, results[0].GetProperty("index").GetInt32());
        Assert.Equal(1, answer.GetProperty("meta").GetProperty("billed_units").GetProperty("search_units").GetInt32());
    }

    [Theory]
    [InlineData("/v2/chat", """{"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/v2/chat", """{"model":"command-a","messages":[]}""")]
    [InlineData("/v2/embed", """{"model":"embed-v4.0","texts":["x"]}""")]
    [InlineData("/v2/rerank", """{"model":"rerank-v3.5","query":"x","documents":[]}""")]
    public async Task A_wrong_request_is_refused_as_Cohere_refuses_it(string path, string body)
    {
        var refused = await server.PostJson(path, body);

        Assert.StartsWith("invalid request", refused.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
