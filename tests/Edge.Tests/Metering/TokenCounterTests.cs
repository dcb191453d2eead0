using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Metering;

/// <summary>What is counted here for a provider that reports nothing, against what providers report.</summary>
public sealed class TokenCounterTests
{
    // The answers of these reasoning models have 9 or 10 tokens around them that no text shows.
    [SkippableTheory]
    [InlineData("chat-basic.json", 10)]
    [InlineData("chat-reasoning.json", 10)]
    [InlineData("chat-json-mode.json", 10)]
    [InlineData("azure-chat-basic.json", 10)]
    [InlineData("completion-basic.json", 0)]
    [InlineData("embeddings-basic.json", 0)]
    public void Estimates_of_text_are_within_5_percent_of_what_providers_report(string file, long aroundTheAnswer)
    {
        var recording = SharedRecordingsTests.Read("openai", file);
        var body = Encoding.UTF8.GetBytes(recording["request"]!["body"]!.ToJsonString());
        var answer = recording["response"]!["body"]!;
        Assert.True(OpenAiUsage.TryRead(ProviderCases.Bytes(answer), out var reported));
        var text = string.Concat((answer["choices"] as JsonArray ?? []).Select(choice => (string?)choice!["message"]?["content"] ?? (string?)choice["text"]));
        var escaped = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(text)[1..^1]);

        var counted = TokenCounter.Estimate(body, escaped, escaped.Length);

        Assert.InRange(counted.Input, reported.PromptTokens * 0.95, reported.PromptTokens * 1.05);
        Assert.InRange(counted.Output, (reported.Output * 0.95) - aroundTheAnswer, reported.Output * 1.05);
    }

    [Fact]
    public void A_long_conversation_is_counted_by_its_texts_and_frames_and_a_picture_is_no_text()
    {
        var picture = "data:image/png;base64," + new string('A', 100_000);
        var body = $$$"""{"model":"m","messages":[{"role":"system","content":"Hello!"},{"role":"user","content":[{"type":"text","text":"Hello!"},{"type":"image_url","image_url":{"url":"{{{picture}}}"}}]}]}""";
        Assert.Equal((2 * 2) + (2 * 4) + 2, TokenCounter.CountPrompt(Encoding.UTF8.GetBytes(body)));
    }
}
