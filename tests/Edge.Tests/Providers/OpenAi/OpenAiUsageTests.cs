using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Tests.Providers.OpenAi;

public sealed class OpenAiUsageTests
{
    public static TheoryData<string, string, TokenUsage> Dialects { get; } = new()
    {
        { "plain", """{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}""", new TokenUsage { Input = 10, Output = 5 } },
        {
            "OpenAI with details",
            """{"usage":{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":60,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5,"accepted_prediction_tokens":3,"rejected_prediction_tokens":1}}}""",
            new TokenUsage { Input = 30, CachedInput = 60, InputAudio = 10, Output = 25, Reasoning = 20, OutputAudio = 5 }
        },
        {
            "cache writes",
            """{"usage":{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":40}}}""",
            new TokenUsage { Input = 50, CachedInput = 10, CacheWrite5m = 40, Output = 1 }
        },
        {
            "DeepSeek",
            """{"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}}""",
            new TokenUsage { Input = 36, CachedInput = 64, Output = 7 }
        },
        {
            "the same cached tokens twice",
            """{"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_cache_hit_tokens":64,"cached_tokens":64,"cache_read_input_tokens":64,"prompt_tokens_details":{"cached_tokens":64}}}""",
            new TokenUsage { Input = 36, CachedInput = 64, Output = 7 }
        },
        { "Groq", """{"choices":[],"x_groq":{"id":"r","usage":{"queue_time":0.1,"prompt_tokens":9,"completion_tokens":3}}}""", new TokenUsage { Input = 9, Output = 3 } },
        { "in a choice", """{"choices":[{"index":0,"usage":{"prompt_tokens":9,"completion_tokens":3}}]}""", new TokenUsage { Input = 9, Output = 3 } },
        {
            "in a choice and at the top",
            """{"choices":[{"index":0,"usage":{"prompt_tokens":1,"completion_tokens":1}}],"usage":{"prompt_tokens":9,"completion_tokens":3}}""",
            new TokenUsage { Input = 9, Output = 3 }
        },
        { "fractions", """{"usage":{"prompt_tokens":9.0,"completion_tokens":3e0}}""", new TokenUsage { Input = 9, Output = 3 } },
        { "strings", """{"usage":{"prompt_tokens":"9","completion_tokens":"3"}}""", new TokenUsage { Input = 9, Output = 3 } },
        {
            "unknown fields and values",
            """{"service_tier":"brand_new","usage":{"kind":{"deep":[1,{"prompt_tokens":99}]},"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":null,"completion_tokens_details":"none","speed":"warp"},"later":{"a":[]}}""",
            new TokenUsage { Input = 9, Output = 3 }
        },
        {
            "xAI: reasoning beside the completion",
            """{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}}""",
            new TokenUsage { Input = 10, Output = 5, Reasoning = 20 }
        },
        {
            "Responses",
            """{"response":{"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":109}}}""",
            new TokenUsage { Input = 60, CachedInput = 40, Output = 5, Reasoning = 4 }
        },
        {
            "Anthropic",
            """{"usage":{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":5}}""",
            new TokenUsage { Input = 10, CachedInput = 100, CacheWrite5m = 10, CacheWrite1h = 20, Output = 5 }
        },
        {
            "Anthropic's names, cache in the prompt",
            """{"usage":{"prompt_tokens":140,"completion_tokens":5,"total_tokens":145,"cache_read_input_tokens":100,"cache_creation_input_tokens":30}}""",
            new TokenUsage { Input = 10, CachedInput = 100, CacheWrite5m = 30, Output = 5 }
        },
        {
            "Anthropic's names, cache beside the prompt",
            """{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":145,"cache_read_input_tokens":100,"cache_creation_input_tokens":30}}""",
            new TokenUsage { Input = 10, CachedInput = 100, CacheWrite5m = 30, Output = 5 }
        },
        { "embeddings", """{"usage":{"prompt_tokens":8,"total_tokens":8}}""", new TokenUsage { Input = 8 } },
        { "no prompt", """{"usage":{"completion_tokens":8,"total_tokens":18}}""", new TokenUsage { Input = 10, Output = 8 } },
        { "negative", """{"usage":{"prompt_tokens":-8,"completion_tokens":4}}""", new TokenUsage { Output = 4 } },
    };

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Each_token_is_in_exactly_one_class(string dialect, string json, TokenUsage expected)
    {
        Assert.True(OpenAiUsage.TryRead(Encoding.UTF8.GetBytes(json), out var usage), dialect);
        Assert.Equal(expected, usage);
    }

    [Theory]
    [InlineData("""{"choices":[]}""")]
    [InlineData("""{"usage":null}""")]
    [InlineData("""{"usage":{}}""")]
    [InlineData("""{"usage":[1]}""")]
    [InlineData("""{"usage":{"prompt_tokens":null}}""")]
    [InlineData("[DONE] \"usage\"")]
    [InlineData("")]
    public void Usage_that_is_not_reported_is_absent(string json) =>
        Assert.False(OpenAiUsage.TryRead(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void T31_An_explicit_zero_stays_zero()
    {
        Assert.True(OpenAiUsage.TryRead("""{"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"""u8, out var usage));
        Assert.Equal(new TokenUsage(), usage);
    }

    [Fact]
    public void A_usage_that_is_split_over_frames_is_put_together_and_one_that_is_told_twice_counts_once()
    {
        var (input, output) = (new TokenUsage { Input = 7, CachedInput = 3 }, new TokenUsage { Output = 20, Reasoning = 5 });
        var whole = new TokenUsage { Input = 7, CachedInput = 3, Output = 20, Reasoning = 5 };
        Assert.Equal(whole, OpenAiUsage.Merge(OpenAiUsage.Merge(null, input), output));
        Assert.Equal(whole, OpenAiUsage.Merge(output, input));
        Assert.Equal(whole, OpenAiUsage.Merge(whole, whole));
        Assert.Equal(whole, OpenAiUsage.Merge(new TokenUsage { Input = 10, Output = 4 }, whole));
    }

    [Fact]
    public void T26_An_unknown_enum_value_or_type_anywhere_does_not_cost_the_usage()
    {
        var json = """{"object":7,"service_tier":{"new":true},"choices":[{"index":"x","finish_reason":"brand_new","delta":null},5,null],"usage":{"prompt_tokens":9,"completion_tokens":3,"cost":0.1,"is_byok":false}}"""u8;

        Assert.True(OpenAiUsage.TryRead(json, out var usage));
        Assert.Equal(new TokenUsage { Input = 9, Output = 3 }, usage);
    }

    [Fact]
    public void T37_Details_that_contradict_the_sum_are_cut_to_it_one_by_one()
    {
        var json = """{"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"prompt_tokens_details":{"cached_tokens":130,"audio_tokens":20},"completion_tokens_details":{"reasoning_tokens":40}}}"""u8;

        Assert.True(OpenAiUsage.TryRead(json, out var usage));
        Assert.Equal(new TokenUsage { CachedInput = 100, Reasoning = 10 }, usage);
    }

    [Fact]
    public void T38_The_tiers_of_cache_writes_are_told_apart()
    {
        var json = """{"usage":{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":10,"cache_creation_tokens":50,"cache_creation_token_details":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":30}}}}"""u8;

        Assert.True(OpenAiUsage.TryRead(json, out var usage));
        Assert.Equal(new TokenUsage { Input = 40, CachedInput = 10, CacheWrite5m = 20, CacheWrite1h = 30, Output = 1 }, usage);
    }

    [Fact]
    public void T39_Reasoning_is_its_own_class()
    {
        Assert.True(OpenAiUsage.TryRead("""{"usage":{"prompt_tokens":1,"completion_tokens":267,"completion_tokens_details":{"reasoning_tokens":192}}}"""u8, out var usage));
        Assert.Equal((75, 192), (usage.Output, usage.Reasoning));
    }

    [Fact]
    public void T84_A_chunk_without_model_and_choices_is_read()
    {
        Assert.True(OpenAiUsage.TryRead("""{"usage":{"prompt_tokens":1,"completion_tokens":2}}"""u8, out var usage));
        Assert.Equal(3, usage.PromptTokens + usage.CompletionTokens);
    }

    [Fact]
    public void No_numbers_whatever_make_a_class_negative_or_lose_a_token()
    {
        var random = new Random(37);
        string[] names = ["prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "prompt_cache_hit_tokens", "reasoning_tokens"];
        for (var round = 0; round < 5000; round++)
        {
            var fields = names.Where(_ => random.Next(2) == 0).Select(name => $"\"{name}\":{random.Next(-5, 200)}").ToList();
            fields.Add($"\"prompt_tokens_details\":{{\"cached_tokens\":{random.Next(300)},\"audio_tokens\":{random.Next(300)},\"cache_write_tokens\":{random.Next(300)}}}");
            fields.Add($"\"completion_tokens_details\":{{\"reasoning_tokens\":{random.Next(300)},\"audio_tokens\":{random.Next(300)}}}");
            if (!OpenAiUsage.TryRead(Encoding.UTF8.GetBytes($"{{\"usage\":{{{string.Join(',', fields)}}}}}"), out var usage))
            {
                continue;
            }

            long[] classes = [usage.Input, usage.CachedInput, usage.CacheWrite5m, usage.CacheWrite1h, usage.InputAudio, usage.Output, usage.Reasoning, usage.OutputAudio];
            Assert.All(classes, count => Assert.InRange(count, 0, 2000));
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Of_a_whole_reply_it_is_the_same(string dialect, string json, TokenUsage expected)
    {
        Assert.True(OpenAiUsage.TryReadWhole(Encoding.UTF8.GetBytes(json), out var usage), dialect);
        Assert.Equal(expected, usage);
    }

    [Fact]
    public void Wherever_it_stands_in_a_reply_the_short_way_reads_what_the_long_way_does()
    {
        var random = new Random(11);
        string Usage() => $"\"usage\": {{\"prompt_tokens\":{random.Next(1, 99)},\"completion_tokens_details\":{{\"reasoning_tokens\":{random.Next(3)}}},\"completion_tokens\":{random.Next(3, 99)}}}";
        string Text() => random.Next(4) switch
        {
            0 => """"say \"usage\":{\"prompt_tokens\":1}"""",
            1 => "} ] { [ braces",
            2 => "usage",
            _ => "plain",
        };
        string Choice() => random.Next(3) == 0 ? $"{{\"message\":{{\"content\":\"{Text()}\"}},{Usage()}}}" : $"{{\"message\":{{\"content\":\"{Text()}\"}}}}";
        string Field() => random.Next(6) switch
        {
            0 => Usage(),
            1 => $"\"choices\":[{Choice()},{Choice()}]",
            2 => $"\"x_groq\":{{\"id\":\"r\",{Usage()}}}",
            3 => $"\"other\":{{\"deep\":{{{Usage()}}}}}",
            4 => "\"usage\":null",
            _ => $"\"id\":\"{Text()}\"",
        };
        for (var i = 0; i < 5_000; i++)
        {
            // No field twice: of two of one name every reader may choose its own.
            var fields = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Field()).DistinctBy(static field => field[..field.IndexOf(':')]);
            var json = Encoding.UTF8.GetBytes($"{{{string.Join(" , ", fields)}}}\n");

            var found = OpenAiUsage.TryRead(json, out var expected);

            Assert.Equal(found, OpenAiUsage.TryReadWhole(json, out var usage));
            Assert.Equal(expected, usage);
        }
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var usage = new TokenUsage { Input = 1, CachedInput = 2, CacheWrite5m = 3, CacheWrite1h = 4, InputAudio = 5, Output = 6, Reasoning = 7, OutputAudio = 8 };
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new System.Text.Json.Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("usage");
            OpenAiUsage.Write(writer, usage);
            writer.WriteEndObject();
        }

        Assert.True(OpenAiUsage.TryRead(buffer.WrittenSpan, out var read));
        Assert.Equal(usage, read);
    }
}
