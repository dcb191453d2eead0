namespace Gateway.Pricing;

/// <summary>
/// What each class of tokens costs, in US dollars per million tokens. A class that a provider names no price for costs what its parent
/// does (cached input what input does, reasoning what output does): full price rather than a guess in anyone's favour.
/// </summary>
public sealed record TokenRates
{
    private readonly decimal? cachedInput;
    private readonly decimal? cacheWrite5m;
    private readonly decimal? cacheWrite1h;
    private readonly decimal? reasoning;
    private readonly decimal? inputAudio;
    private readonly decimal? outputAudio;

    /// <summary>Text and image tokens read.</summary>
    public required decimal Input { get; init; }

    /// <summary>Tokens written.</summary>
    public required decimal Output { get; init; }

    /// <summary>Tokens read from the provider's cache; default: <see cref="Input"/>.</summary>
    public decimal CachedInput { get => cachedInput ?? Input; init => cachedInput = value; }

    /// <summary>Tokens written to a cache that lives for 5 minutes; default: <see cref="Input"/>.</summary>
    public decimal CacheWrite5m { get => cacheWrite5m ?? Input; init => cacheWrite5m = value; }

    /// <summary>Tokens written to a cache that lives for an hour; default: <see cref="CacheWrite5m"/>.</summary>
    public decimal CacheWrite1h { get => cacheWrite1h ?? CacheWrite5m; init => cacheWrite1h = value; }

    /// <summary>Tokens spent on reasoning; default: <see cref="Output"/>.</summary>
    public decimal Reasoning { get => reasoning ?? Output; init => reasoning = value; }

    /// <summary>Audio tokens read; default: <see cref="Input"/>.</summary>
    public decimal InputAudio { get => inputAudio ?? Input; init => inputAudio = value; }

    /// <summary>Audio tokens written; default: <see cref="Output"/>.</summary>
    public decimal OutputAudio { get => outputAudio ?? Output; init => outputAudio = value; }

    internal decimal? StatedCachedInput => cachedInput;

    internal decimal? StatedCacheWrite5m => cacheWrite5m;

    internal decimal? StatedCacheWrite1h => cacheWrite1h;

    internal decimal? StatedReasoning => reasoning;

    internal decimal? StatedInputAudio => inputAudio;

    internal decimal? StatedOutputAudio => outputAudio;
}
