using System.Net;
using System.Text.Json;
using Gateway.SampleProvider.Tests.Answers;

namespace Gateway.SampleProvider.Tests.OpenAi;

public sealed class OpenAiWireTests(SampleServer server) : IClassFixture<SampleServer>
{
    private const string Chat = "/v1/chat/completions";

    [Theory]
    [InlineData("""{"model":"gpt-4","messages":[{"role":"user"]""", 400, null)]
    [InlineData("", 400, null)]
    [InlineData("[]", 400, null)]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""", 400, null)]
    [InlineData("""{"model":5,"messages":[{"role":"user","content":"x"}]}""", 400, "model")]
    [InlineData("""{"model":"gpt-4"}""", 400, "messages")]
    [InlineData("""{"model":"gpt-4","messages":[]}""", 400, "messages")]
    [InlineData("""{"model":"gpt-4","messages":"x"}""", 400, "messages")]
    [InlineData("""{"model":"gpt-4","messages":[{"role":"user","content":"x"}],"n":129}""", 400, "n")]
    [InlineData("""{"model":"gpt-4","messages":[{"role":"user","content":"x"}],"max_tokens":0}""", 400, "max_tokens")]
    [InlineData("""{"model":"gpt-4","messages":[{"role":"user","content":"x"}],"stream":"yes"}""", 400, "stream")]
    public async Task A_wrong_request_is_refused_as_OpenAI_refuses_it(string body, int status, string? param)
    {
        using var response = await server.Post(Chat, body);
        var error = JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("error");

        Assert.Equal((HttpStatusCode)status, response.StatusCode);
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task A_stream_opens_with_the_role_and_closes_with_finish_then_usage_then_done()
    {
        var (data, whole) = await server.PostStream(Chat,
            """{"model":"gpt-4","stream":true,"stream_options":{"include_usage":true},"max_tokens":2,"messages":[{"role":"user","content":"x"}]}""");
        var frames = data[..^1].ConvertAll(frame => JsonElement.Parse(frame));

        Assert.True(whole);
        Assert.Equal("[DONE]", data[^1]);
        Assert.Equal(5, frames.Count);
        Assert.Equal("assistant", frames[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal("length", frames[3].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(0, frames[4].GetProperty("choices").GetArrayLength());
        Assert.Equal(2, frames[4].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.All(frames[..4], frame => Assert.Equal(JsonValueKind.Null, frame.GetProperty("usage").ValueKind));
        Assert.Single(frames.Select(frame => frame.GetProperty("id").GetString()).Distinct());
    }

    [Fact]
    public async Task A_stream_says_nothing_of_usage_unless_it_is_asked()
    {
        var (data, _) = await server.PostStream(Chat, """{"model":"gpt-4","stream":true,"messages":[{"role":"user","content":"x"}]}""");

        Assert.All(data, frame => Assert.DoesNotContain("usage", frame, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Several_choices_differ_and_are_all_counted()
    {
        const string body = """{"model":"gpt-4","n":3,"messages":[{"role":"user","content":"x"}]}""";
        var answer = await server.PostJson(Chat, body);
        var (data, _) = await server.PostStream(Chat, body.Replace("\"n\":3", "\"n\":3,\"stream\":true", StringComparison.Ordinal));

        var texts = answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!).ToArray();
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(texts.Sum(Counted.Tokens), answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var streamed = new string[3];
        foreach (var choice in data[..^1].Select(frame => JsonElement.Parse(frame).GetProperty("choices")[0]))
        {
            streamed[choice.GetProperty("index").GetInt32()] += choice.GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : "";
        }

        Assert.Equal(texts, streamed);
    }

    [Fact]
    public async Task The_older_completions_answer_each_prompt_with_sixteen_tokens_unless_told()
    {
        var answer = await server.PostJson("/v1/completions", """{"model":"gpt-3.5-turbo-instruct","prompt":["a river","the sea"]}""");
        var (data, _) = await server.PostStream("/v1/completions",
            """{"model":"gpt-3.5-turbo-instruct","prompt":"a river","stream":true,"stream_options":{"include_usage":true}}""");

        Assert.Equal(2, answer.GetProperty("choices").GetArrayLength());
        Assert.Equal("length", answer.GetProperty("choices")[1].GetProperty("finish_reason").GetString());
        Assert.Equal(32, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(4, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        var text = string.Concat(data[..^2].Select(frame => JsonElement.Parse(frame).GetProperty("choices")[0].GetProperty("text").GetString()));
        Assert.Equal(answer.GetProperty("choices")[0].GetProperty("text").GetString(), text);
        Assert.Equal(16, JsonElement.Parse(data[^2]).GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Parts_of_a_message_and_escaped_text_are_read_as_text()
    {
        var plain = await server.PostJson(Chat, """{"model":"gpt-4","messages":[{"role":"user","content":"Hé \"you\""}]}""");
        var escaped = await server.PostJson(Chat, """{"model":"gpt-4","messages":[{"content":[{"type":"text","text":"H\u00e9 \"you\""}],"role":"user"}]}""");

        Assert.Equal(plain.GetProperty("choices")[0].GetRawText(), escaped.GetProperty("choices")[0].GetRawText());
        Assert.Equal(plain.GetProperty("usage").GetRawText(), escaped.GetProperty("usage").GetRawText());
    }
}
