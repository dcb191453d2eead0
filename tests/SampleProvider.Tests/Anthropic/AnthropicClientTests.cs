using System.Net;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Gateway.SampleProvider.Tests.Answers;

namespace Gateway.SampleProvider.Tests.Anthropic;

/// <summary>Anthropic's own client, with its validation switched on, is the judge of whether the sample speaks Anthropic.</summary>
public sealed class AnthropicClientTests(SampleServer server) : IClassFixture<SampleServer>
{
    private static readonly ToolUnion Weather = new Tool
    {
        Name = "get_weather",
        InputSchema = InputSchema.FromRawUnchecked(JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
            """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""")!),
    };

    private AnthropicClient Client(string key = "sk-ant-sample") =>
        new() { ApiKey = key, BaseUrl = server.Url, ResponseValidation = true, MaxRetries = 0 };

    private static MessageCreateParams Ask(string text, int tokensMax = 1000, params IReadOnlyList<ToolUnion> tools) =>
        new() { Model = "claude-2", MaxTokens = tokensMax, Messages = [new UserMessageParam(text)], Tools = tools.Count == 0 ? null : tools };

    [Fact]
    public async Task A_message_is_answered_and_its_usage_is_what_the_tokenizer_counts()
    {
        var answer = await Client().Messages.Create(Ask("Where does the river end?"));

        Assert.True(answer.Content[0].TryPickText(out var text));
        Assert.True(answer.StopReason == "end_turn");
        Assert.StartsWith("msg_", answer.ID, StringComparison.Ordinal);
        Assert.Equal(Counted.Tokens(text.Text), answer.Usage.OutputTokens);
        Assert.Equal(Counted.Tokens("Where does the river end?") + 4 + 3, answer.Usage.InputTokens);
    }

    [Fact]
    public async Task A_stream_has_the_documented_order_and_the_same_text_and_usage()
    {
        var whole = await Client().Messages.Create(Ask("Streaming?"));
        var (text, input, output) = ("", 0L, 0L);
        await foreach (var update in Client().Messages.CreateStreaming(Ask("Streaming?")))
        {
            if (update.TryPickStart(out var start))
            {
                input = start.Message.Usage.InputTokens;
            }
            else if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
            {
                text += piece.Text;
            }
            else if (update.TryPickDelta(out var end))
            {
                output = end.Usage.OutputTokens;
            }
        }

        whole.Content[0].TryPickText(out var expected);
        Assert.Equal(expected!.Text, text);
        Assert.Equal(whole.Usage.InputTokens, input);
        Assert.Equal(whole.Usage.OutputTokens, output);

        var (data, _) = await server.PostStream("/v1/messages",
            """{"model":"claude-2","max_tokens":2,"stream":true,"messages":[{"role":"user","content":"Streaming?"}]}""");
        Assert.Equal(
            ["message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
            data.Select(frame => JsonElement.Parse(frame).GetProperty("type").GetString()));
    }

    [Fact]
    public async Task A_tool_is_called_streamed_or_not()
    {
        var answer = await Client().Messages.Create(Ask("How is the weather?", 1000, Weather));
        var json = "";
        await foreach (var update in Client().Messages.CreateStreaming(Ask("How is the weather?", 1000, Weather)))
        {
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickInputJson(out var piece))
            {
                json += piece.PartialJson;
            }
        }

        Assert.True(answer.StopReason == "tool_use");
        Assert.True(answer.Content[0].TryPickToolUse(out var call));
        Assert.Equal("get_weather", call.Name);
        Assert.Equal("Paris", call.Input["city"].GetString());
        Assert.Equal("""{"city":"Paris"}""", json);
    }

    [Fact]
    public async Task A_limit_on_tokens_cuts_the_answer_there()
    {
        var answer = await Client().Messages.Create(Ask("Go on", 6));

        Assert.True(answer.StopReason == "max_tokens");
        Assert.Equal(6, answer.Usage.OutputTokens);
    }

    [Fact]
    public async Task Counting_tokens_says_what_a_message_would_be_charged()
    {
        var counted = await Client().Messages.CountTokens(new() { Model = "claude-2", Messages = [new UserMessageParam("How many?")], System = "Be exact." });
        var answer = await Client().Messages.Create(Ask("How many?") with { System = "Be exact." });

        Assert.Equal(answer.Usage.InputTokens, counted.InputTokens);
    }

    [Fact]
    public async Task Models_are_listed_in_Anthropics_shape()
    {
        var page = await Client().Models.List();

        Assert.Contains(page.Items, model => model.ID.StartsWith("claude-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_that_ends_in_invalid_gets_the_real_401()
    {
        var refused = await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => Client("x-invalid").Messages.Create(Ask("Hello")));

        Assert.Contains("invalid x-api-key", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_does_not_say_its_version_or_its_limit_is_refused()
    {
        using var request = new StringContent("""{"model":"claude-2","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""");
        using var unversioned = await server.Client.PostAsync("/v1/messages", request);
        var unlimited = await server.PostJson("/v1/messages", """{"model":"claude-2","messages":[{"role":"user","content":"x"}]}""");

        Assert.Equal(HttpStatusCode.BadRequest, unversioned.StatusCode);
        Assert.Contains("anthropic-version: header is required", await unversioned.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("max_tokens: Field required", unlimited.GetProperty("error").GetProperty("message").GetString());
    }
}
