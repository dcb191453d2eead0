using System.Runtime.CompilerServices;
using Gateway.Contracts;

namespace Gateway.Pricing;

/// <summary>Classes of tokens that a request can use besides text: what its worst case has to count with.</summary>
[Flags]
public enum PossibleTokens
{
    /// <summary>Only text in and out (cached input is never dearer by itself).</summary>
    Text = 0,

    /// <summary>It may write to a cache of 5 minutes.</summary>
    CacheWrite5m = 1,

    /// <summary>It may write to a cache of an hour.</summary>
    CacheWrite1h = 2,

    /// <summary>It may read or write audio.</summary>
    Audio = 4,

    /// <summary>All of it: a bound whatever the request turns out to be.</summary>
    All = CacheWrite5m | CacheWrite1h | Audio,
}

/// <summary>What a cost depends on besides tokens.</summary>
/// <param name="Service">The service tier that the provider says it served.</param>
/// <param name="Requests">Requests or searches billed; counted as 1 when it is 0.</param>
/// <param name="Seconds">Seconds of audio.</param>
/// <param name="Characters">Characters turned to speech.</param>
public readonly record struct CostUnits(ServiceTier Service = ServiceTier.Standard, long Requests = 1, decimal Seconds = 0, long Characters = 0);

/// <summary>
/// Exact arithmetic: every product and the sum are exact decimals of nano-dollars, and the sum is rounded once, half to even.
/// Nothing here allocates.
/// </summary>
public static class CostCalculator
{
    /// <summary>
    /// The most that is believed of one class in one request. A provider that reports more (or a negative count) reports nonsense: it is
    /// taken for the bound (or 0), so that no reply can overflow an account.
    /// </summary>
    public const long TokensMax = 1_000_000_000;

    // One dollar for a million tokens is 1,000,000,000 nano-dollars for 1,000,000: a thousand for each.
    private const decimal NanoDollarsPerTokenAtOneDollarPerMillion = 1_000m;

    /// <summary>What <paramref name="usage"/> costs at <paramref name="price"/>.</summary>
    public static Money Cost(TokenUsage usage, ModelPrice price) => Cost(usage, price, new CostUnits());

    /// <summary>What <paramref name="usage"/> and <paramref name="units"/> cost at <paramref name="price"/>.</summary>
    public static Money Cost(TokenUsage usage, ModelPrice price, in CostUnits units) => Money.FromNanoDollars(Exact(usage, price, units));

    /// <summary>The same in nano-dollars, before it is rounded: a sum of many is rounded once.</summary>
    public static decimal Exact(TokenUsage usage, ModelPrice price, in CostUnits units)
    {
        var rates = price.Select(units.Service, PromptTokens(usage)).Rates;
        decimal perMillion = 0, dollars = 0;
        Add(ref perMillion, usage.Input, rates.Input);
        Add(ref perMillion, usage.CachedInput, rates.CachedInput);
        Add(ref perMillion, usage.CacheWrite5m, rates.CacheWrite5m);
        Add(ref perMillion, usage.CacheWrite1h, rates.CacheWrite1h);
        Add(ref perMillion, usage.InputAudio, rates.InputAudio);
        Add(ref perMillion, usage.Output, rates.Output);
        Add(ref perMillion, usage.Reasoning, rates.Reasoning);
        Add(ref perMillion, usage.OutputAudio, rates.OutputAudio);
        Add(ref dollars, usage.Images, price.PerImage);
        Add(ref dollars, Math.Max(1, units.Requests), price.PerRequest);
        Add(ref dollars, units.Characters, price.PerCharacter);
        if (units.Seconds > 0)
        {
            dollars += Math.Min(units.Seconds, TokensMax) * price.PerSecond;
        }

        return (perMillion * NanoDollarsPerTokenAtOneDollarPerMillion) + (dollars * Money.NanoDollarsPerDollar);
    }

    /// <summary>
    /// The most that a request can cost: its whole input at the dearest class that it can use, its whole output
    /// (<paramref name="maxOutput"/> for each of <paramref name="n"/> answers) likewise, in the tier that its size puts it in.
    /// </summary>
    /// <param name="inputTokensBound">No fewer than the input tokens.</param>
    /// <param name="maxOutput">The most tokens of one answer.</param>
    /// <param name="n">How many answers are asked for; at least 1.</param>
    /// <param name="price">The price.</param>
    /// <param name="possible">The classes that the request can use.</param>
    /// <param name="service">The service tier asked for; the provider may serve and bill the standard one instead, so the dearer counts. A batch is billed as one.</param>
    public static Money WorstCase(
        long inputTokensBound,
        long maxOutput,
        int n,
        ModelPrice price,
        PossibleTokens possible = PossibleTokens.All,
        ServiceTier service = ServiceTier.Standard)
    {
        decimal input = 0, output = 0;
        // Who takes a batch bills it as one.
        var alone = service == ServiceTier.Batch && price.Has(ServiceTier.Batch);

        // Every tier that a prompt of up to this size can fall in counts: the bound may be larger than the prompt, and no provider has
        // promised that its long tier is the dearer one.
        for (var i = 0; i < price.Tiers.Count; i++)
        {
            var tier = price.Tiers[i];
            var reachable = tier.AbovePromptTokens == 0 || inputTokensBound > tier.AbovePromptTokens;
            if (reachable && (tier.Service == service || (tier.Service == ServiceTier.Standard && !alone)))
            {
                input = Math.Max(input, DearestInput(tier.Rates, possible));
                output = Math.Max(output, DearestOutput(tier.Rates, possible));
            }
        }

        // Both factors are bounded, so that the product cannot overflow.
        var outputTokens = Math.Min(Bounded(maxOutput) * Math.Max(1, n), TokensMax);
        var perMillion = Product(inputTokensBound, input) + Product(outputTokens, output);
        return CeilingOf((perMillion * NanoDollarsPerTokenAtOneDollarPerMillion) + (price.PerRequest * Money.NanoDollarsPerDollar));
    }

    private static decimal DearestInput(TokenRates rates, PossibleTokens possible)
    {
        var dearest = Math.Max(rates.Input, rates.CachedInput);
        dearest = Has(possible, PossibleTokens.CacheWrite5m) ? Math.Max(dearest, rates.CacheWrite5m) : dearest;
        dearest = Has(possible, PossibleTokens.CacheWrite1h) ? Math.Max(dearest, rates.CacheWrite1h) : dearest;
        return Has(possible, PossibleTokens.Audio) ? Math.Max(dearest, rates.InputAudio) : dearest;
    }

    // Enum.HasFlag boxes where it is not optimized away.
    private static bool Has(PossibleTokens possible, PossibleTokens one) => (possible & one) != 0;

    private static decimal DearestOutput(TokenRates rates, PossibleTokens possible)
    {
        var dearest = Math.Max(rates.Output, rates.Reasoning);
        return Has(possible, PossibleTokens.Audio) ? Math.Max(dearest, rates.OutputAudio) : dearest;
    }

    // A worst case that rounds down would not be one.
    private static Money CeilingOf(decimal nanoDollars) => new((long)decimal.Ceiling(nanoDollars));

    private static long PromptTokens(TokenUsage usage) =>
        Bounded(usage.Input) + Bounded(usage.CachedInput) + Bounded(usage.CacheWrite5m) + Bounded(usage.CacheWrite1h) + Bounded(usage.InputAudio);

    // Most classes of most requests are nothing, and decimals are slow: what is nothing is not added.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref decimal sum, long count, decimal rate)
    {
        if (count > 0 && rate != 0)
        {
            sum += Bounded(count) * rate;
        }
    }

    private static decimal Product(long count, decimal rate) => count <= 0 ? 0 : Bounded(count) * rate;

    private static long Bounded(long count) => Math.Clamp(count, 0, TokensMax);
}
