namespace Gateway.Pricing;

/// <summary>
/// Prices of one deployment as a configuration states them, in LiteLLM's unit: US dollars <b>per token</b>. Stated prices win everywhere:
/// once the input (or output) price is stated, the catalogue's other input (or output) prices and its tiers no longer apply, and a class that
/// is not stated costs what its parent does. A configuration that states, say, only the cached price keeps the catalogue's others.
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

    private const decimal Million = 1_000_000m;

    /// <summary>The price of a deployment whose model the catalogue knows as <paramref name="known"/> (null when it does not).</summary>
    public ModelPrice ApplyTo(ModelPrice? known, string provider, string model)
    {
        var rates = ApplyTo(known?.Rates);
        var tiers = new List<PriceTier> { new(ServiceTier.Standard, 0, rates) };

        // A tier of the catalogue beside a stated price would charge a list price that the deployment does not have (T-41).
        if (known is not null && InputCostPerToken is null && OutputCostPerToken is null)
        {
            tiers.AddRange(known.Tiers.Where(tier => tier is not { Service: ServiceTier.Standard, AbovePromptTokens: 0 }));
        }

        Replace(tiers, ServiceTier.Standard, AbovePromptTokens, InputCostPerTokenAbove, OutputCostPerTokenAbove, null);
        Replace(tiers, ServiceTier.Priority, 0, InputCostPerTokenPriority, OutputCostPerTokenPriority, CacheReadInputTokenCostPriority);
        Replace(tiers, ServiceTier.Flex, 0, InputCostPerTokenFlex, OutputCostPerTokenFlex, CacheReadInputTokenCostFlex);
        Replace(tiers, ServiceTier.Batch, 0, InputCostPerTokenBatch, OutputCostPerTokenBatch, null);
        return new ModelPrice(provider, model, tiers)
        {
            PerImage = CostPerImage ?? known?.PerImage ?? 0,
            PerRequest = CostPerRequest ?? known?.PerRequest ?? 0,
            PerSecond = CostPerSecond ?? known?.PerSecond ?? 0,
            PerCharacter = CostPerCharacter ?? known?.PerCharacter ?? 0,
            ContextWindow = known?.ContextWindow,
            MaxOutputTokens = known?.MaxOutputTokens,
            Mode = known?.Mode ?? "chat",
            Source = "configuration",
            Version = "config",
        };
    }

    private TokenRates ApplyTo(TokenRates? known)
    {
        var input = InputCostPerToken is null ? known : null;
        var output = OutputCostPerToken is null ? known : null;
        var rates = new TokenRates
        {
            Input = InputCostPerToken * Million ?? known?.Input ?? 0,
            Output = OutputCostPerToken * Million ?? known?.Output ?? 0,
        };
        rates = (CacheReadInputTokenCost * Million ?? input?.StatedCachedInput) is { } cached ? rates with { CachedInput = cached } : rates;
        rates = (CacheCreationInputTokenCost * Million ?? input?.StatedCacheWrite5m) is { } write5m ? rates with { CacheWrite5m = write5m } : rates;
        rates = (CacheCreationInputTokenCostAbove1Hour * Million ?? input?.StatedCacheWrite1h) is { } write1h ? rates with { CacheWrite1h = write1h } : rates;
        rates = (OutputCostPerReasoningToken * Million ?? output?.StatedReasoning) is { } reasoning ? rates with { Reasoning = reasoning } : rates;
        rates = (InputCostPerAudioToken * Million ?? input?.StatedInputAudio) is { } inputAudio ? rates with { InputAudio = inputAudio } : rates;
        return (OutputCostPerAudioToken * Million ?? output?.StatedOutputAudio) is { } outputAudio ? rates with { OutputAudio = outputAudio } : rates;
    }

    private static void Replace(
        List<PriceTier> tiers, ServiceTier service, long above, decimal? inputPerToken, decimal? outputPerToken, decimal? cachedPerToken)
    {
        if (inputPerToken is null && outputPerToken is null && cachedPerToken is null)
        {
            return;
        }

        // What the tier does not state costs what the same deployment's ordinary tier does, not less.
        var ordinary = tiers[0].Rates;
        var rates = new TokenRates
        {
            Input = inputPerToken * Million ?? ordinary.Input,
            Output = outputPerToken * Million ?? ordinary.Output,
        };
        rates = cachedPerToken * Million is { } cached ? rates with { CachedInput = cached } : rates;
        tiers.RemoveAll(tier => tier.Service == service && tier.AbovePromptTokens == above);
        tiers.Add(new PriceTier(service, above, rates));
    }
}
