using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Metering;
using Gateway.Pricing;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// Anthropic's usage: <c>input_tokens</c> leaves out what the cache gave and took. In a stream it comes twice, and each time it is the sum so
/// far: the last one said of a class is true, they are never added up.
/// </summary>
internal sealed class AnthropicUsage
{
    private bool any;
    private long input;
    private long cacheRead;
    private long cacheWritten;
    private long cacheWritten5m;
    private long cacheWritten1h;
    private long output;
    private long thinking;

    // Samplings that the sums leave out.
    private TokenUsage[] beside = [];

    /// <summary>The service tier that was used; null while none that is known was reported.</summary>
    public ServiceTier? Tier { get; private set; }

    /// <summary>The tokens; null while none were reported.</summary>
    public TokenUsage? Tokens => any ? beside.Aggregate(ToTokens(), static (sum, one) => sum + one) : null;

    /// <summary>Takes a <c>usage</c> object.</summary>
    public void Take(JsonElement usage)
    {
        if (usage.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        Tier = ServiceTiers.Served(usage.Field("service_tier"u8).RawText()) ?? Tier;
        Set(ref input, usage.Field("input_tokens"u8));
        Set(ref cacheRead, usage.Field("cache_read_input_tokens"u8));
        Set(ref cacheWritten, usage.Field("cache_creation_input_tokens"u8));
        Set(ref output, usage.Field("output_tokens"u8));
        var tiers = usage.Field("cache_creation"u8);
        Set(ref cacheWritten5m, tiers.Field("ephemeral_5m_input_tokens"u8));
        Set(ref cacheWritten1h, tiers.Field("ephemeral_1h_input_tokens"u8));
        Set(ref thinking, usage.Field("output_tokens_details"u8).Field("thinking_tokens"u8));
        if (usage.Field("iterations"u8).ValueKind == JsonValueKind.Array)
        {
            beside = [.. usage.Field("iterations"u8).EnumerateArray().Where(IsBeside).Select(static iteration => Of(iteration)).OfType<TokenUsage>()];
        }
    }

    private static TokenUsage? Of(JsonElement iteration)
    {
        var own = new AnthropicUsage();
        own.Take(iteration);
        return own.Tokens;
    }

    /// <summary>
    /// What compacting a conversation took, and what an advisor did, is billed and stands in no sum. An advisor is another model: its tokens count
    /// as this one's, for a message has one price.
    /// </summary>
    private static bool IsBeside(JsonElement iteration) => iteration.Field("type"u8).Text() is "compaction" or "advisor_message";

    private void Set(ref long count, JsonElement value)
    {
        if (!value.Given())
        {
            return;
        }

        // Some servers that imitate Anthropic repeat the classes that they no longer know with a 0: what was read stays read.
        any = true;
        var reported = value.Count();
        count = reported > 0 ? reported : count;
    }

    private TokenUsage ToTokens()
    {
        var written = Math.Max(cacheWritten, cacheWritten5m + cacheWritten1h);
        var thought = Math.Min(thinking, output);
        return new TokenUsage
        {
            Input = input,
            CachedInput = cacheRead,
            CacheWrite5m = written - cacheWritten1h,
            CacheWrite1h = cacheWritten1h,
            Output = output - thought,
            Reasoning = thought,
        };
    }
}
