namespace Gateway.Pricing;

/// <summary>
/// Prices of one deployment as a configuration states them, in LiteLLM's unit: US dollars <b>per token</b>. What is not stated keeps the
/// catalogue's price; where the catalogue knows the model not, an unstated class costs what its parent does.
/// </summary>
public sealed record PriceOverride
{
    /// <summary><c>input_cost_per_token</c>.</summary>
    public decimal? InputCostPerToken { get; init; }

    /// <summary><c>output_cost_per_token</c>.</summary>
    public decimal? OutputCostPerToken { get; init; }

    /// <summary><c>cache_read_input_token_cost</c>.</summary>
    public decimal? CacheReadInputTokenCost { get; init; }

    /// <summary><c>cache_creation_input_token_cost</c>: a cache of 5 minutes.</summary>
    public decimal? CacheCreationInputTokenCost { get; init; }

    /// <summary><c>cache_creation_input_token_cost_above_1hr</c>: a cache of an hour.</summary>
    public decimal? CacheCreationInputTokenCostAbove1Hour { get; init; }

    /// <summary><c>output_cost_per_reasoning_token</c>.</summary>
    public decimal? OutputCostPerReasoningToken { get; init; }

    /// <summary><c>input_cost_per_audio_token</c>.</summary>
    public decimal? InputCostPerAudioToken { get; init; }

    /// <summary><c>output_cost_per_audio_token</c>.</summary>
    public decimal? OutputCostPerAudioToken { get; init; }

    /// <summary><c>input_cost_per_token_above_N_tokens</c>.</summary>
    public decimal? InputCostPerTokenAbove { get; init; }

    /// <summary><c>output_cost_per_token_above_N_tokens</c>.</summary>
    public decimal? OutputCostPerTokenAbove { get; init; }

    /// <summary>The N of the two above: 128,000 or 200,000.</summary>
    public long AbovePromptTokens { get; init; } = 200_000;

    /// <summary><c>input_cost_per_token_priority</c>.</summary>
    public decimal? InputCostPerTokenPriority { get; init; }

    /// <summary><c>output_cost_per_token_priority</c>.</summary>
    public decimal? OutputCostPerTokenPriority { get; init; }

    /// <summary><c>cache_read_input_token_cost_priority</c>.</summary>
    public decimal? CacheReadInputTokenCostPriority { get; init; }

    /// <summary><c>input_cost_per_token_flex</c>.</summary>
    public decimal? InputCostPerTokenFlex { get; init; }

    /// <summary><c>output_cost_per_token_flex</c>.</summary>
    public decimal? OutputCostPerTokenFlex { get; init; }

    /// <summary><c>cache_read_input_token_cost_flex</c>.</summary>
    public decimal? CacheReadInputTokenCostFlex { get; init; }

    /// <summary><c>input_cost_per_token_batches</c>.</summary>
    public decimal? InputCostPerTokenBatch { get; init; }

    /// <summary><c>output_cost_per_token_batches</c>.</summary>
    public decimal? OutputCostPerTokenBatch { get; init; }

    /// <summary><c>output_cost_per_image</c> (LiteLLM's <c>input_cost_per_image</c> for image generation).</summary>
    public decimal? CostPerImage { get; init; }

    /// <summary><c>input_cost_per_request</c> or <c>input_cost_per_query</c>.</summary>
    public decimal? CostPerRequest { get; init; }

    /// <summary><c>input_cost_per_second</c>: of audio.</summary>
    public decimal? CostPerSecond { get; init; }

    /// <summary><c>input_cost_per_character</c>: of text turned to speech.</summary>
    public decimal? CostPerCharacter { get; init; }
}
