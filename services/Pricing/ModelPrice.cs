using System.Globalization;
using System.Text;

namespace Gateway.Pricing;

/// <summary>What one model of one provider costs. Immutable; made when the configuration is loaded, read by every request.</summary>
public sealed class ModelPrice
{
    private readonly PriceTier[] tiers;
    private readonly string[] descriptions;

    /// <summary>A price.</summary>
    /// <param name="provider">The provider, by the name that stands before the slash in a configuration: <c>openai</c>.</param>
    /// <param name="model">The provider's name of the model.</param>
    /// <param name="tiers">The rates; one of them is the standard tier from 0 tokens on.</param>
    public ModelPrice(string provider, string model, params IEnumerable<PriceTier> tiers)
    {
        Provider = provider;
        Model = model;

        // Sorted so that the first tier that fits is the right one: selection is one short loop without a comparison of candidates.
        this.tiers = [.. tiers.OrderBy(tier => tier.Service).ThenByDescending(tier => tier.AbovePromptTokens)];
        descriptions = new string[this.tiers.Length];
        if (!Array.Exists(this.tiers, tier => tier is { Service: ServiceTier.Standard, AbovePromptTokens: 0 }))
        {
            throw new ArgumentException($"The price of {provider}/{model} has no standard rates.", nameof(tiers));
        }
    }

    /// <summary>The provider.</summary>
    public string Provider { get; }

    /// <summary>The provider's name of the model.</summary>
    public string Model { get; }

    /// <summary>All rates: by service tier, the largest prompts first.</summary>
    public IReadOnlyList<PriceTier> Tiers => tiers;

    /// <summary>The rates of an ordinary request with a short prompt.</summary>
    public TokenRates Rates => Select(ServiceTier.Standard, 0).Rates;

    /// <summary>Dollars for each image made.</summary>
    public decimal PerImage { get; init; }

    /// <summary>Dollars for each request (or for each search, where a provider bills searches).</summary>
    public decimal PerRequest { get; init; }

    /// <summary>Dollars for each second of audio.</summary>
    public decimal PerSecond { get; init; }

    /// <summary>Dollars for each character of text turned to speech.</summary>
    public decimal PerCharacter { get; init; }

    /// <summary>The most tokens that the model reads and writes in one request; null when unknown.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>The most tokens that the model writes in one request; null when unknown.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>What the model is for: <c>chat</c>, <c>embedding</c>, <c>rerank</c>, … (LiteLLM's <c>mode</c>).</summary>
    public string Mode { get; init; } = "chat";

    /// <summary>Where the price comes from.</summary>
    public string Source { get; init; } = "";

    /// <summary>When it was seen there, as exactly as is known: <c>2026</c>, <c>2026-11</c> or <c>2026-11-24</c>.</summary>
    public string Date { get; init; } = "";

    /// <summary>The version of the price: <c>2026-11</c>, or <c>config</c> when a configuration overrides it.</summary>
    public string Version { get; init; } = "";

    /// <summary>The tier of a request: that of the largest bound below its prompt. A service tier that has no rates of its own costs the standard ones.</summary>
    public PriceTier Select(ServiceTier service, long promptTokens) => tiers[IndexOf(service, promptTokens)];

    /// <summary>Whether a service tier has rates of its own for every size of prompt.</summary>
    public bool Has(ServiceTier service) => Array.Exists(tiers, tier => tier.Service == service && tier.AbovePromptTokens == 0);

    /// <summary>
    /// The price that a request was charged at, as text that a person can check: <c>openai/gpt-4@2026-11 input=30 output=60</c> (dollars per
    /// million tokens). The same string every time: nothing is allocated after the first.
    /// </summary>
    public string Describe(ServiceTier service = ServiceTier.Standard, long promptTokens = 0)
    {
        var index = IndexOf(service, promptTokens);
        return descriptions[index] ??= Write(tiers[index]);
    }

    /// <inheritdoc/>
    public override string ToString() => Describe();

    private int IndexOf(ServiceTier service, long promptTokens)
    {
        for (var i = 0; i < tiers.Length; i++)
        {
            var tier = tiers[i];
            if (tier.Service == service && (promptTokens > tier.AbovePromptTokens || tier.AbovePromptTokens == 0))
            {
                return i;
            }
        }

        return IndexOf(ServiceTier.Standard, promptTokens);
    }

    private string Write(PriceTier tier)
    {
        var text = new StringBuilder(128).Append(Provider).Append('/').Append(Model).Append('@').Append(Version);
        if (tier.Service != ServiceTier.Standard)
        {
            text.Append(CultureInfo.InvariantCulture, $" {tier.Service.ToString().ToLowerInvariant()}");
        }

        if (tier.AbovePromptTokens > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" above={tier.AbovePromptTokens}");
        }

        var rates = tier.Rates;
        Append("input", rates.Input);
        Append("output", rates.Output);
        Append("cached", rates.StatedCachedInput);
        Append("cache_write_5m", rates.StatedCacheWrite5m);
        Append("cache_write_1h", rates.StatedCacheWrite1h);
        Append("reasoning", rates.StatedReasoning);
        Append("audio_in", rates.StatedInputAudio);
        Append("audio_out", rates.StatedOutputAudio);
        Append("per_image", PerImage == 0 ? null : PerImage);
        Append("per_request", PerRequest == 0 ? null : PerRequest);
        Append("per_second", PerSecond == 0 ? null : PerSecond);
        Append("per_character", PerCharacter == 0 ? null : PerCharacter);
        return text.ToString();

        void Append(string name, decimal? dollars)
        {
            if (dollars is { } value)
            {
                text.Append(CultureInfo.InvariantCulture, $" {name}={value:0.############}");
            }
        }
    }
}
