using Gateway.Contracts;

namespace Gateway.Pricing.Tests;

/// <summary>
/// One case for each provider's shape of usage. Every expected amount was worked out by hand: the comment is the calculation, in dollars,
/// with the provider's published price per million tokens (M).
/// </summary>
public sealed class GoldenCostTests
{
    private static readonly PriceCatalogue Catalogue = PriceCatalogue.BuiltIn;

    // 19 prompt tokens x 30/M = 0.00057; 10 completion tokens x 60/M = 0.0006; together 0.00117.
    [Fact]
    public void OpenAi_gpt_4_plain() =>
        Costs(0.00117m, "openai", "gpt-4", new() { Input = 19, Output = 10 });

    // claude-2 at 8/24: 1,000 x 8/M = 0.008; 500 x 24/M = 0.012; together 0.02.
    [Fact]
    public void Anthropic_claude_2_plain() =>
        Costs(0.02m, "anthropic", "claude-2", new() { Input = 1_000, Output = 500 });

    // prompt_tokens 2,006 of which cached_tokens 1,920: 86 x 2.5/M = 0.000215; 1,920 x 1.25/M = 0.0024; 300 x 10/M = 0.003; together 0.005615.
    [Fact]
    public void T_37_OpenAi_cached_tokens_are_counted_once() =>
        Costs(0.005615m, "openai", "gpt-4o-2024-11-20", new() { Input = 86, CachedInput = 1_920, Output = 300 });

    // promptTokenCount 150,000 of which cachedContentTokenCount 140,000: 10,000 x 1.25/M = 0.0125; 140,000 x 0.125/M = 0.0175;
    // candidates 1,000 x 10/M = 0.01; together 0.04. Counted twice it would be 0.2275 or more.
    [Fact]
    public void T_37_Gemini_cached_tokens_are_counted_once() =>
        Costs(0.04m, "gemini", "gemini-2.5-pro", new() { Input = 10_000, CachedInput = 140_000, Output = 1_000 });

    // promptTokenCount 10,000; candidatesTokenCount 2,000 with the thoughtsTokenCount of 1,500 in it, as totalTokenCount 12,000 shows:
    // 10,000 x 1.25/M = 0.0125; visible 500 x 10/M = 0.005; thoughts 1,500 x 10/M = 0.015; together 0.0325. Counted twice it would be 0.0475.
    [Fact]
    public void T_39_Gemini_thoughts_within_the_candidates_are_counted_once() =>
        Costs(0.0325m, "gemini", "gemini-2.5-pro", new() { Input = 10_000, Output = 500, Reasoning = 1_500 });

    // input_tokens 21, cache_read_input_tokens 188,086: 21 x 3/M = 0.000063; 188,086 x 0.3/M = 0.0564258; 393 x 15/M = 0.005895;
    // together 0.0623838. Anthropic's input_tokens leaves the cached ones out already.
    [Fact]
    public void T_37_Anthropic_cache_reads() =>
        Costs(0.0623838m, "anthropic", "claude-sonnet-4-5-20250929", new() { Input = 21, CachedInput = 188_086, Output = 393 });

    // 100 x 3/M = 0.0003; 5-minute writes 2,000 x 3.75/M = 0.0075; 1-hour writes 4,000 x 6/M = 0.024; 50 x 15/M = 0.00075; together 0.03255.
    [Fact]
    public void T_38_Anthropic_cache_writes_of_5_minutes_and_of_an_hour_have_their_own_prices() =>
        Costs(0.03255m, "anthropic", "claude-sonnet-4-6", new() { Input = 100, CacheWrite5m = 2_000, CacheWrite1h = 4_000, Output = 50 });

    // o3: 75 x 2/M = 0.00015; reasoning 1,024 x 8/M = 0.008192; visible 162 x 8/M = 0.001296; together 0.009638.
    [Fact]
    public void T_39_OpenAi_reasoning_costs_what_output_does() =>
        Costs(0.009638m, "openai", "o3-2025-04-16", new() { Input = 75, Reasoning = 1_024, Output = 162 });

    // gpt-5 priority at 2.5/20 and cached 0.25: 1,000 x 2.5/M = 0.0025; 4,000 x 0.25/M = 0.001; 500 x 20/M = 0.01; together 0.0135.
    [Fact]
    public void T_39_OpenAi_priority_tier() =>
        Costs(0.0135m, "openai", "gpt-5", new() { Input = 1_000, CachedInput = 4_000, Output = 500 }, new(ServiceTier.Priority));

    // gpt-5 flex at half of 1.25/10 and 0.125: 1,000 x 0.625/M = 0.000625; 4,000 x 0.0625/M = 0.00025; 500 x 5/M = 0.0025; together 0.003375.
    [Fact]
    public void T_39_OpenAi_flex_tier() =>
        Costs(0.003375m, "openai", "gpt-5-2025-08-07", new() { Input = 1_000, CachedInput = 4_000, Output = 500 }, new(ServiceTier.Flex));

    // gpt-4.1-nano has no flex tier, so it costs the standard one: 1,000 x 0.1/M = 0.0001; 500 x 0.4/M = 0.0002; together 0.0003.
    [Fact]
    public void T_39_a_tier_without_rates_costs_the_standard_ones() =>
        Costs(0.0003m, "openai", "gpt-4.1-nano", new() { Input = 1_000, Output = 500 }, new(ServiceTier.Flex));

    // gpt-4o-audio-preview: text 100 x 2.5/M = 0.00025; audio in 500 x 40/M = 0.02; text out 40 x 10/M = 0.0004; audio out 200 x 80/M = 0.016;
    // together 0.03665.
    [Fact]
    public void OpenAi_audio_in_and_out() =>
        Costs(0.03665m, "openai", "gpt-4o-audio-preview", new() { Input = 100, InputAudio = 500, Output = 40, OutputAudio = 200 });

    // 200,000 tokens are not above 200,000: 200,000 x 1.25/M = 0.25; 100 x 10/M = 0.001; together 0.251.
    [Fact]
    public void T_19_Gemini_a_prompt_of_just_200_000_is_still_a_short_one() =>
        Costs(0.251m, "gemini", "gemini-2.5-pro", new() { Input = 200_000, Output = 100 });

    // 200,001 x 2.5/M = 0.5000025; 100 x 15/M = 0.0015; together 0.5015025. All tokens cost the long rate.
    [Fact]
    public void T_19_Gemini_one_token_more_puts_all_of_it_in_the_long_tier() =>
        Costs(0.5015025m, "gemini", "gemini-2.5-pro", new() { Input = 200_001, Output = 100 });

    // The tier goes by the whole prompt, cached and all: 1,000 x 2.5/M = 0.0025; 250,000 x 0.25/M = 0.0625; 10 x 15/M = 0.00015; together 0.06515.
    [Fact]
    public void T_19_cached_tokens_count_towards_the_long_tier() =>
        Costs(0.06515m, "gemini", "gemini-2.5-pro", new() { Input = 1_000, CachedInput = 250_000, Output = 10 });

    // claude-haiku-5-5 above 100,000: 100,001 x 0.5/M = 0.0500005; 10 x 2.5/M = 0.000025; together 0.0500255.
    [Fact]
    public void T_19_Anthropic_long_prompt() =>
        Costs(0.0500255m, "anthropic", "claude-haiku-5-5", new() { Input = 100_001, Output = 10 });

    // billed_units: 2,000 x 0.15/M = 0.0003; 1,000 x 0.6/M = 0.0006; together 0.0009.
    [Fact]
    public void Cohere_command_r() =>
        Costs(0.0009m, "cohere", "command-r", new() { Input = 2_000, Output = 1_000 });

    // command-a-03-2025: 2,000 x 2.5/M = 0.005; 1,000 x 10/M = 0.01; together 0.015.
    [Fact]
    public void Cohere_command_a() =>
        Costs(0.015m, "cohere", "command-a-03-2025", new() { Input = 2_000, Output = 1_000 });

    // 3 search units x 2/1,000 = 0.006.
    [Fact]
    public void Cohere_rerank_costs_by_search() =>
        Costs(0.006m, "cohere", "rerank-v3.5", new(), new(Requests: 3));

    // 7 tokens x 0.02/M = 0.00000014: 140 nano-dollars.
    [Fact]
    public void T_42_small_money_is_not_rounded_to_nothing() =>
        Costs(0.00000014m, "openai", "text-embedding-3-small", new() { Input = 7 });

    // 1 token x 0.0375/M = 37.5 nano-dollars: half, so to the even 38. 3 tokens = 112.5 nano-dollars: to the even 112.
    [Theory]
    [InlineData(1, 38)]
    [InlineData(3, 112)]
    public void T_42_a_half_nano_dollar_goes_to_the_even_one(long tokens, long nanoDollars) =>
        Assert.Equal(new Money(nanoDollars), CostCalculator.Cost(new() { Input = tokens }, Price("cohere", "command-r7b-12-2024")));

    // The sum is rounded, not its parts: 1 x 0.0375/M + 1 x 0.15/M = 37.5 + 150 = 187.5 nano-dollars: to the even 188. Three such inputs and
    // one output: 112.5 + 150 = 262.5, to 262.
    [Fact]
    public void T_42_the_sum_is_rounded_once() =>
        Assert.Equal(new Money(262), CostCalculator.Cost(new() { Input = 3, Output = 1 }, Price("cohere", "command-r7b-12-2024")));

    // 2 images x 0.04 = 0.08.
    [Fact]
    public void OpenAi_images() => Costs(0.08m, "openai", "dall-e-3", new() { Images = 2 });

    // 90.5 seconds x 0.0001 = 0.00905 (0.006 dollars a minute).
    [Fact]
    public void OpenAi_whisper_costs_by_second() => Costs(0.00905m, "openai", "whisper-1", new(), new(Seconds: 90.5m));

    // 2,000 characters x 15/M = 0.03.
    [Fact]
    public void OpenAi_speech_costs_by_character() => Costs(0.03m, "openai", "tts-1", new(), new(Characters: 2_000));

    // Bedrock's name with region and version: 1,000 x 3/M = 0.003; 100 x 15/M = 0.0015; together 0.0045.
    [Fact]
    public void Bedrock_claude_by_inference_profile() =>
        Costs(0.0045m, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", new() { Input = 1_000, Output = 100 });

    // Azure's deployment of gpt-4o: 1,000 x 2.5/M = 0.0025; 100 x 10/M = 0.001; together 0.0035.
    [Fact]
    public void Azure_by_base_model()
    {
        var price = Catalogue.Find("azure", "our-deployment", "azure/gpt-4o", null);
        Assert.Equal(Money.FromDollars(0.0035m), CostCalculator.Cost(new() { Input = 1_000, Output = 100 }, price!));
    }

    // deepseek-v4-pro: 1,000 x 0.435/M = 0.000435; cached 9,000 x 0.003625/M = 0.000032625; 500 x 0.87/M = 0.000435; together 0.000902625.
    [Fact]
    public void DeepSeek_cache_hits_and_misses() =>
        Costs(0.000902625m, "deepseek", "deepseek-v4-pro", new() { Input = 1_000, CachedInput = 9_000, Output = 500 });

    // mistral-large-latest: 1,000 x 2/M = 0.002; 200 x 6/M = 0.0012; together 0.0032.
    [Fact]
    public void Mistral_large() => Costs(0.0032m, "mistral", "mistral-large-latest", new() { Input = 1_000, Output = 200 });

    private static ModelPrice Price(string provider, string model) => Assert.IsType<ModelPrice>(Catalogue.Find(provider, model));

    private static void Costs(decimal dollars, string provider, string model, TokenUsage usage, CostUnits? units = null) =>
        Assert.Equal(Money.FromDollars(dollars), CostCalculator.Cost(usage, Price(provider, model), units ?? new CostUnits(ServiceTier.Standard)));
}
