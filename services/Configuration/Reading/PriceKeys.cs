using Gateway.Pricing;

namespace Gateway.Configuration.Reading;

/// <summary>Reads the prices that a deployment states, in <c>litellm_params</c> or <c>model_info</c>.</summary>
internal static class PriceKeys
{
    // A dollar for one token: a price that was written per million tokens is far above it, and is caught here.
    private const decimal DollarsPerTokenMax = 1;

    public static PriceOverride? Read(Section parameters, Section? info)
    {
        var price = new PriceOverride
        {
            InputCostPerToken = PerToken("input_cost_per_token"),
            OutputCostPerToken = PerToken("output_cost_per_token"),
            CacheReadInputTokenCost = PerToken("cache_read_input_token_cost"),
            CacheCreationInputTokenCost = PerToken("cache_creation_input_token_cost"),
            CacheCreationInputTokenCostAbove1Hour = PerToken("cache_creation_input_token_cost_above_1hr"),
            OutputCostPerReasoningToken = PerToken("output_cost_per_reasoning_token"),
            InputCostPerAudioToken = PerToken("input_cost_per_audio_token"),
            OutputCostPerAudioToken = PerToken("output_cost_per_audio_token"),
            InputCostPerTokenPriority = PerToken("input_cost_per_token_priority"),
            OutputCostPerTokenPriority = PerToken("output_cost_per_token_priority"),
            CacheReadInputTokenCostPriority = PerToken("cache_read_input_token_cost_priority"),
            InputCostPerTokenFlex = PerToken("input_cost_per_token_flex"),
            OutputCostPerTokenFlex = PerToken("output_cost_per_token_flex"),
            CacheReadInputTokenCostFlex = PerToken("cache_read_input_token_cost_flex"),
            InputCostPerTokenBatch = PerToken("input_cost_per_token_batches"),
            OutputCostPerTokenBatch = PerToken("output_cost_per_token_batches"),
        };

        // Of two bounds the lower one is taken: it charges no less.
        var input200 = PerToken("input_cost_per_token_above_200k_tokens");
        var output200 = PerToken("output_cost_per_token_above_200k_tokens");
        var input128 = PerToken("input_cost_per_token_above_128k_tokens");
        var output128 = PerToken("output_cost_per_token_above_128k_tokens");
        price = price with
        {
            InputCostPerTokenAbove = input128 ?? input200,
            OutputCostPerTokenAbove = output128 ?? output200,
            AbovePromptTokens = input128 is null && output128 is null ? 200_000 : 128_000,
        };

        var inputImage = PerUnit("input_cost_per_image");
        var perRequest = PerUnit("input_cost_per_request");
        price = price with
        {
            CostPerImage = PerUnit("output_cost_per_image") ?? inputImage,
            CostPerRequest = PerUnit("input_cost_per_query") ?? perRequest,
            CostPerSecond = PerUnit("input_cost_per_second"),
            CostPerCharacter = PerUnit("input_cost_per_character"),
        };
        return price == new PriceOverride { AbovePromptTokens = price.AbovePromptTokens } ? null : price;

        decimal? PerToken(string key) => Stated(key, DollarsPerTokenMax);
        decimal? PerUnit(string key) => Stated(key, 10_000);
        decimal? Stated(string key, decimal max)
        {
            var inInfo = info?.Number(key, 0, max);
            return parameters.Number(key, 0, max) ?? inInfo;
        }
    }
}
