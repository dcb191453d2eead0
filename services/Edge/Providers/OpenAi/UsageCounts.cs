using Gateway.Contracts;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>What a field of a usage says, whatever a dialect calls it.</summary>
internal enum UsageField
{
    None,
    Prompt,
    Completion,
    Total,
    InputTokens,
    OutputTokens,
    Cached,
    CacheRead,
    CacheWrite,
    CacheCreationTotal,
    CacheWrite5m,
    CacheWrite1h,
    InputAudio,
    Reasoning,
    OutputAudio,
    InputDetails,
    OutputDetails,
    CacheCreation,
}

/// <summary>What each dialect calls the fields of a usage.</summary>
internal static class UsageFields
{
    /// <summary>What a field of the usage is.</summary>
    public static UsageField Of(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("prompt_tokens"u8) => UsageField.Prompt,
        _ when name.SequenceEqual("completion_tokens"u8) => UsageField.Completion,
        _ when name.SequenceEqual("total_tokens"u8) => UsageField.Total,
        _ when name.SequenceEqual("prompt_tokens_details"u8) || name.SequenceEqual("input_tokens_details"u8) => UsageField.InputDetails,
        _ when name.SequenceEqual("completion_tokens_details"u8) || name.SequenceEqual("output_tokens_details"u8) => UsageField.OutputDetails,
        _ when name.SequenceEqual("input_tokens"u8) => UsageField.InputTokens,
        _ when name.SequenceEqual("output_tokens"u8) => UsageField.OutputTokens,
        _ when name.SequenceEqual("cache_read_input_tokens"u8) => UsageField.CacheRead,
        _ when name.SequenceEqual("cache_creation_input_tokens"u8) => UsageField.CacheCreationTotal,
        _ when name.SequenceEqual("cache_creation"u8) => UsageField.CacheCreation,
        _ when name.SequenceEqual("prompt_cache_hit_tokens"u8) || name.SequenceEqual("cached_tokens"u8) => UsageField.Cached,
        _ when name.SequenceEqual("reasoning_tokens"u8) => UsageField.Reasoning,
        _ when name.SequenceEqual("prompt_token_details"u8) || name.SequenceEqual("input_token_details"u8) => UsageField.InputDetails,
        _ => UsageField.None,
    };

    /// <summary>What a field of one of its details is.</summary>
    public static UsageField OfDetail(ReadOnlySpan<byte> name, UsageField of) => of switch
    {
        UsageField.InputDetails => name switch
        {
            _ when name.SequenceEqual("cached_tokens"u8) => UsageField.Cached,
            _ when name.SequenceEqual("audio_tokens"u8) => UsageField.InputAudio,
            _ when name.SequenceEqual("cache_write_tokens"u8) || name.SequenceEqual("cache_creation_tokens"u8) => UsageField.CacheWrite,
            _ when name.SequenceEqual("cache_creation_token_details"u8) || name.SequenceEqual("cache_creation"u8) => UsageField.CacheCreation,
            _ => UsageField.None,
        },
        UsageField.OutputDetails => name switch
        {
            _ when name.SequenceEqual("reasoning_tokens"u8) => UsageField.Reasoning,
            _ when name.SequenceEqual("audio_tokens"u8) => UsageField.OutputAudio,
            _ => UsageField.None,
        },
        _ => name switch
        {
            _ when name.SequenceEqual("ephemeral_5m_input_tokens"u8) => UsageField.CacheWrite5m,
            _ when name.SequenceEqual("ephemeral_1h_input_tokens"u8) => UsageField.CacheWrite1h,
            _ => UsageField.None,
        },
    };
}

/// <summary>What was reported, and what it comes to: each token in one class. Null means that it was not reported.</summary>
internal struct UsageCounts
{
    public bool HasInputDetails;
    private long? prompt;
    private long? completion;
    private long? total;
    private long? inputTokens;
    private long? outputTokens;
    private long cached;
    private long cacheRead;
    private long cacheWrite;
    private long cacheCreation;
    private long cacheWrite5m;
    private long cacheWrite1h;
    private long inputAudio;
    private long reasoning;
    private long outputAudio;

    public readonly bool Any => prompt is not null || completion is not null || inputTokens is not null || outputTokens is not null || total is not null;

    public void Set(UsageField field, long count)
    {
        switch (field)
        {
            case UsageField.Prompt: prompt = count; break;
            case UsageField.Completion: completion = count; break;
            case UsageField.Total: total = count; break;
            case UsageField.InputTokens: inputTokens = count; break;
            case UsageField.OutputTokens: outputTokens = count; break;
            case UsageField.CacheRead: cacheRead = count; break;
            case UsageField.CacheCreationTotal: cacheCreation = count; break;
            case UsageField.CacheWrite5m: cacheWrite5m = count; break;
            case UsageField.CacheWrite1h: cacheWrite1h = count; break;
            case UsageField.InputAudio: inputAudio = count; break;
            case UsageField.OutputAudio: outputAudio = count; break;

            // Some servers report these twice, once in the details: the same tokens, so never added up.
            case UsageField.Cached: cached = Math.Max(cached, count); break;
            case UsageField.CacheWrite: cacheWrite = Math.Max(cacheWrite, count); break;
            case UsageField.Reasoning: reasoning = Math.Max(reasoning, count); break;
        }
    }

    public readonly TokenUsage ToUsage()
    {
        var read = Math.Max(cached, cacheRead);
        var tiers = cacheWrite5m + cacheWrite1h;
        var written = Math.Max(Math.Max(cacheWrite, cacheCreation), tiers);
        var written1h = Math.Min(cacheWrite1h, written);

        var writtenTokens = completion ?? outputTokens ?? Math.Max(0, (total - (prompt ?? inputTokens)) ?? 0);
        var all = prompt ?? inputTokens ?? Math.Max(0, (total - writtenTokens) ?? 0);
        if (InputLeavesOutTheCache(all, writtenTokens, read + written))
        {
            all += read + written;
        }

        // xAI and some others count reasoning beside the completion, not in it; only their total shows it.
        var reasoningIsBeside = reasoning > 0 && total == all + writtenTokens + reasoning;
        if (reasoningIsBeside)
        {
            writtenTokens += reasoning;
        }

        // Details that contradict the sum are cut to it one by one: dropping them all would bill cached tokens at the full price.
        var rest = all;
        var cachedInput = Take(ref rest, read);
        var audio = Take(ref rest, inputAudio);
        var write1h = Take(ref rest, written1h);
        var write5m = Take(ref rest, written - written1h);

        var output = writtenTokens;
        var thought = Take(ref output, reasoning);
        var spoken = Take(ref output, outputAudio);
        return new TokenUsage
        {
            Input = rest,
            CachedInput = cachedInput,
            CacheWrite5m = write5m,
            CacheWrite1h = write1h,
            InputAudio = audio,
            Output = output,
            Reasoning = thought,
            OutputAudio = spoken,
        };
    }

    /// <summary>
    /// OpenAI's prompt_tokens and the Responses API's input_tokens contain the cached ones. Anthropic's input_tokens leave them out, and
    /// so does a prompt_tokens whose total only adds up with them.
    /// </summary>
    private readonly bool InputLeavesOutTheCache(long all, long writtenTokens, long cache)
    {
        if (cache == 0)
        {
            return false;
        }

        return prompt is null
            ? !HasInputDetails && cacheRead + cacheCreation > 0
            : cacheRead + cacheCreation > 0 && total == all + writtenTokens + cache;
    }

    private static long Take(ref long rest, long count)
    {
        var taken = Math.Min(rest, count);
        rest -= taken;
        return taken;
    }
}
