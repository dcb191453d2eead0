using System.Text;
using System.Text.Json;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Providers;
using Microsoft.ML.Tokenizers;

namespace Gateway.Edge.Tests.Metering;

/// <summary>What is counted here for a provider that reports nothing, against what providers report.</summary>
public sealed class TokenCounterTests
{
    // The answers of these reasoning models have 9 or 10 tokens around them that no text shows, and 7 more where they call a tool.
    [SkippableTheory]
    [InlineData("chat-basic.json", 10)]
    [InlineData("chat-reasoning.json", 10)]
    [InlineData("chat-json-mode.json", 10)]
    [InlineData("azure-chat-basic.json", 10)]
    [InlineData("chat-tools.json", 17)]
    [InlineData("completion-basic.json", 0)]
    [InlineData("embeddings-basic.json", 0)]
    public void Estimates_of_text_are_within_5_percent_of_what_providers_report(string file, long aroundTheAnswer)
    {
        var recording = SharedRecordingsTests.Read("openai", file);
        var body = Encoding.UTF8.GetBytes(recording["request"]!["body"]!.ToJsonString());
        var answer = recording["response"]!["body"]!;
        Assert.True(OpenAiUsage.TryRead(ProviderCases.Bytes(answer), out var reported));
        using var tap = new OutputTap();
        tap.Observe(Encoding.UTF8.GetBytes(answer.ToJsonString()));
        tap.Collect(Encoding.UTF8.GetBytes(answer.ToJsonString()), "\"text\""u8);

        var counted = TokenCounter.Estimate(body, (string?)recording["request"]!["body"]!["model"], tap.Text, tap.Bytes);

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

    [Fact]
    public void A_text_is_counted_in_pieces_and_comes_to_what_it_is_as_a_whole()
    {
        var whole = TiktokenTokenizer.CreateForEncoding("o200k_base");
        var sentence = "Tell me of the sea, and of ships.\n\n  They sail far -- as far as 12,345 miles; don't they? ";
        foreach (var (text, cuts) in ((string, int)[])
        [
            ("", 0), ("Hello!", 0), (string.Concat(Enumerable.Repeat(sentence, 200)), 0), (new string(' ', 3_000), 6), (new string('a', 3_000), 6), (new string('!', 3_000), 6),
            (string.Concat(Enumerable.Repeat("海の上の船😀", 200)), 4), (new string('a', 512) + " b", 0), (new string('a', 511) + " b", 0),
        ])
        {
            var counted = whole.CountTokens(text);
            Assert.InRange(TokenCounter.Count(text), counted, counted + cuts);
        }
    }

    // The tokenizer alone would take minutes of a processor's time for this word, and the request's sender a moment.
    [Fact]
    public void A_long_word_takes_no_longer_than_as_much_text()
    {
        var word = new string('!', TokenCounter.CharactersMax);
        Assert.Equal(TokenCounter.CountAll(word), TokenCounter.Count(word));
        Assert.Equal(2 * TokenCounter.Count(word), TokenCounter.Count(word + word));
    }

    [Fact]
    public void Tools_are_read_as_types_by_models_of_OpenAI_whatever_protocol_they_are_said_in_and_as_they_stand_by_others()
    {
        const string schema = """{"type":"object","properties":{"city":{"type":"string","description":"Where"},"unit":{"type":"string","enum":["c","f"]},"days":{"type":"array","items":{"type":"integer"}},"at":{"anyOf":[{"type":"string"},{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}]}},"required":["city"]}""";
        var asked = new[]
        {
            $$$"""[{"type":"function","function":{"name":"weather","description":"Says what\nis coming","parameters":{{{schema}}}}}]""",
            $$$"""[{"type":"function","name":"weather","description":"Says what\nis coming","parameters":{{{schema}}}}]""",
            $$$"""[{"name":"weather","description":"Says what\nis coming","input_schema":{{{schema}}}}]""",
        };
        var texts = asked.Select(static tools => ToolText.Of(JsonElement.Parse(tools))).Distinct();

        Assert.Equal(
            """
            # Tools

            ## functions

            namespace functions {

            // Says what
            // is coming
            type weather = (_: {
            // Where
            city: string,
            unit?: "c" | "f",
            days?: number[],
            at?: string | {
            x: number,
            },
            }) => any;

            } // namespace functions
            """,
            Assert.Single(texts));
        Assert.Equal("", ToolText.Of(JsonElement.Parse("""[{"type":"web_search"},17,null]""")));

        var counts = new[] { null, "gpt-4o", "gpt-5-nano" }.Select(model => TokenCounter.CountPrompt(Encoding.UTF8.GetBytes($$$"""{"model":"m","tools":{{{asked[0]}}},"messages":[]}"""), model)).ToList();
        Assert.Equal(TokenCounter.Count(asked[0]), counts[0]);
        Assert.Equal(TokenCounter.Count(texts.Single()), counts[1]);
        Assert.True(counts[2] > counts[1]);
    }
}
