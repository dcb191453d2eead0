using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>
/// Reads the usage of a reply or a chunk in OpenAI's format, in every dialect of it that a server which calls itself compatible is known to
/// speak, and writes it. It looks only for what it knows and steps over the rest: a field or a value that is new must never cost the
/// usage.
/// </summary>
internal static class OpenAiUsage
{
    // More than any request can use; keeps sums of hostile numbers far from overflow.
    private const long TokensMax = 1_000_000_000_000;

    /// <summary>The usage of a whole JSON object; false when it has none (absent, null, or not JSON). A reported 0 is a 0.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        usage = Nothing;

        // Most chunks of a stream have no usage, or a null: no need to read them.
        if (json.IndexOf("usage\""u8) < 0)
        {
            return false;
        }

        var counts = default(Counts);
        try
        {
            var reader = new Utf8JsonReader(json);
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadHolder(ref reader, ref counts, depth: 0);
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // What was read before the bytes went wrong still counts: a cut reply has been paid for.
        }

        if (!counts.Any)
        {
            return false;
        }

        usage = counts.ToUsage();
        return true;
    }

    /// <summary>
    /// The usage of a whole reply. Where it stands at the top, first or last, as with nearly all servers, what lies before or behind it is not
    /// read: that may be a long answer, or megabytes of vectors or pictures.
    /// </summary>
    public static bool TryReadWhole(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        // In a text of the answer the quotation marks would have a backslash before them.
        var at = json.LastIndexOf("\"usage\""u8);
        if (at > 0 && json[at - 1] != (byte)'\\' && json[(at + "\"usage\"".Length)..].TrimStart(" \t\r\n:"u8) is [(byte)'{', ..] value)
        {
            var counts = default(Counts);
            try
            {
                var reader = new Utf8JsonReader(value);
                reader.Read();
                ReadUsage(ref reader, ref counts);
                if (counts.Any && reader.TokenType == JsonTokenType.EndObject && (ClosesOnce(value[(int)reader.BytesConsumed..]) || OpensOnce(json[..at])))
                {
                    usage = counts.ToUsage();
                    return true;
                }
            }
            catch (Exception broken) when (broken is JsonException or InvalidOperationException)
            {
                // It is looked for from the beginning.
            }
        }

        return TryRead(json, out usage);
    }

    /// <summary>The usage in the last bytes of a reply that was not held as a whole.</summary>
    public static bool TryReadLast(ReadOnlySpan<byte> end, out TokenUsage usage)
    {
        var at = end.LastIndexOf("\"usage\""u8);
        var start = at < 0 ? -1 : end[at..].IndexOf((byte)'{');
        var counts = default(Counts);
        if (start > 0)
        {
            try
            {
                var reader = new Utf8JsonReader(end[(at + start)..]);
                reader.Read();
                ReadUsage(ref reader, ref counts);
            }
            catch (Exception broken) when (broken is JsonException or InvalidOperationException)
            {
                // What was read before the bytes went wrong still counts.
            }
        }

        usage = counts.Any ? counts.ToUsage() : Nothing;
        return counts.Any;
    }

    /// <summary>Reads the usage object that the reader stands on.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out TokenUsage usage)
    {
        var counts = default(Counts);
        ReadUsage(ref reader, ref counts);
        usage = counts.Any ? counts.ToUsage() : Nothing;
        return counts.Any;
    }

    /// <summary>The usage of a stream after one more frame of it: the newer one wins, and what it is silent about stands. Some servers split it.</summary>
    public static TokenUsage Merge(TokenUsage? before, TokenUsage read) =>
        before is null ? read
        : read.PromptTokens == 0 ? before with { Output = read.Output, Reasoning = read.Reasoning, OutputAudio = read.OutputAudio }
        : read.CompletionTokens == 0 ? read with { Output = before.Output, Reasoning = before.Reasoning, OutputAudio = before.OutputAudio }
        : read;

    /// <summary>Writes the value of OpenAI's <c>usage</c>.</summary>
    public static void Write(Utf8JsonWriter writer, TokenUsage usage, Money? cost = null)
    {
        writer.WriteStartObject();
        writer.WriteNumber("prompt_tokens"u8, usage.PromptTokens);
        writer.WriteNumber("completion_tokens"u8, usage.CompletionTokens);
        writer.WriteNumber("total_tokens"u8, usage.PromptTokens + usage.CompletionTokens);
        writer.WriteStartObject("prompt_tokens_details"u8);
        writer.WriteNumber("cached_tokens"u8, usage.CachedInput);
        writer.WriteNumber("audio_tokens"u8, usage.InputAudio);
        var written = usage.CacheWrite5m + usage.CacheWrite1h;
        if (written > 0)
        {
            writer.WriteNumber("cache_write_tokens"u8, written);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("completion_tokens_details"u8);
        writer.WriteNumber("reasoning_tokens"u8, usage.Reasoning);
        writer.WriteNumber("audio_tokens"u8, usage.OutputAudio);
        writer.WriteEndObject();
        if (written > 0)
        {
            // Anthropic's names beside OpenAI's, as LiteLLM's clients expect them, with the tiers that OpenAI has no word for.
            writer.WriteNumber("cache_creation_input_tokens"u8, written);
            writer.WriteStartObject("cache_creation"u8);
            writer.WriteNumber("ephemeral_5m_input_tokens"u8, usage.CacheWrite5m);
            writer.WriteNumber("ephemeral_1h_input_tokens"u8, usage.CacheWrite1h);
            writer.WriteEndObject();
        }

        if (cost is { } amount)
        {
            writer.WriteNumber("cost"u8, amount.ToDollars());
        }

        writer.WriteEndObject();
    }

    private static readonly TokenUsage Nothing = new();

    // What stands at the top has one brace open before it and one to close behind it. A bracket in a text makes this false, never true.
    private static bool OpensOnce(ReadOnlySpan<byte> before) => before.TrimStart(" \t\r\n"u8) is [(byte)'{', .. var rest] && rest.IndexOfAny("{}[]"u8) < 0;

    private static bool ClosesOnce(ReadOnlySpan<byte> behind) => behind.TrimEnd(" \t\r\n"u8) is [.. var rest, (byte)'}'] && rest.IndexOfAny("{}[]"u8) < 0;

    /// <summary>An object that has a usage, or has an object that has one.</summary>
    private static void ReadHolder(ref Utf8JsonReader reader, ref Counts counts, int depth)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("usage"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    // The usage at the top is the whole reply's and wins over one that a choice carries.
                    var own = default(Counts);
                    ReadUsage(ref reader, ref own);
                    if (own.Any && (depth == 0 || !counts.Any))
                    {
                        counts = own;
                    }
                }
                else
                {
                    reader.Skip();
                }
            }
            else if (depth == 0 && (reader.ValueTextEquals("x_groq"u8) || reader.ValueTextEquals("response"u8) ||
                reader.ValueTextEquals("message"u8)))
            {
                reader.Read();
                ReadNested(ref reader, ref counts);
            }
            else if (depth == 0 && reader.ValueTextEquals("choices"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartArray)
                {
                    reader.Skip();
                    continue;
                }

                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    ReadNested(ref reader, ref counts);
                }
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
    }

    private static void ReadNested(ref Utf8JsonReader reader, ref Counts counts)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        var nested = default(Counts);
        ReadHolder(ref reader, ref nested, depth: 1);
        if (nested.Any && !counts.Any)
        {
            counts = nested;
        }
    }

    private static void ReadUsage(ref Utf8JsonReader reader, ref Counts counts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.HasValueSequence ? default : reader.ValueSpan;
            var field = FieldOf(name);
            reader.Read();
            switch (field)
            {
                case Field.InputDetails or Field.OutputDetails or Field.CacheCreation when reader.TokenType == JsonTokenType.StartObject:
                    counts.HasInputDetails |= field == Field.InputDetails;
                    ReadDetails(ref reader, field, ref counts);
                    break;
                case Field.None or Field.InputDetails or Field.OutputDetails or Field.CacheCreation:
                    reader.Skip();
                    break;
                default:
                    if (TryReadCount(ref reader, out var count))
                    {
                        counts.Set(field, count);
                    }

                    break;
            }
        }
    }

    private static void ReadDetails(ref Utf8JsonReader reader, Field of, ref Counts counts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = DetailOf(reader.HasValueSequence ? default : reader.ValueSpan, of);
            reader.Read();
            if (field == Field.CacheCreation && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadDetails(ref reader, Field.CacheCreation, ref counts);
            }
            else if (field is Field.None or Field.CacheCreation)
            {
                reader.Skip();
            }
            else if (TryReadCount(ref reader, out var count))
            {
                counts.Set(field, count);
            }
        }
    }

    private static Field FieldOf(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("prompt_tokens"u8) => Field.Prompt,
        _ when name.SequenceEqual("completion_tokens"u8) => Field.Completion,
        _ when name.SequenceEqual("total_tokens"u8) => Field.Total,
        _ when name.SequenceEqual("prompt_tokens_details"u8) || name.SequenceEqual("input_tokens_details"u8) => Field.InputDetails,
        _ when name.SequenceEqual("completion_tokens_details"u8) || name.SequenceEqual("output_tokens_details"u8) => Field.OutputDetails,
        _ when name.SequenceEqual("input_tokens"u8) => Field.InputTokens,
        _ when name.SequenceEqual("output_tokens"u8) => Field.OutputTokens,
        _ when name.SequenceEqual("cache_read_input_tokens"u8) => Field.CacheRead,
        _ when name.SequenceEqual("cache_creation_input_tokens"u8) => Field.CacheCreationTotal,
        _ when name.SequenceEqual("cache_creation"u8) => Field.CacheCreation,
        _ when name.SequenceEqual("prompt_cache_hit_tokens"u8) || name.SequenceEqual("cached_tokens"u8) => Field.Cached,
        _ when name.SequenceEqual("reasoning_tokens"u8) => Field.Reasoning,
        _ when name.SequenceEqual("prompt_token_details"u8) || name.SequenceEqual("input_token_details"u8) => Field.InputDetails,
        _ => Field.None,
    };

    private static Field DetailOf(ReadOnlySpan<byte> name, Field of) => of switch
    {
        Field.InputDetails => name switch
        {
            _ when name.SequenceEqual("cached_tokens"u8) => Field.Cached,
            _ when name.SequenceEqual("audio_tokens"u8) => Field.InputAudio,
            _ when name.SequenceEqual("cache_write_tokens"u8) || name.SequenceEqual("cache_creation_tokens"u8) => Field.CacheWrite,
            _ when name.SequenceEqual("cache_creation_token_details"u8) || name.SequenceEqual("cache_creation"u8) => Field.CacheCreation,
            _ => Field.None,
        },
        Field.OutputDetails => name switch
        {
            _ when name.SequenceEqual("reasoning_tokens"u8) => Field.Reasoning,
            _ when name.SequenceEqual("audio_tokens"u8) => Field.OutputAudio,
            _ => Field.None,
        },
        _ => name switch
        {
            _ when name.SequenceEqual("ephemeral_5m_input_tokens"u8) => Field.CacheWrite5m,
            _ when name.SequenceEqual("ephemeral_1h_input_tokens"u8) => Field.CacheWrite1h,
            _ => Field.None,
        },
    };

    /// <summary>A count as a number, as a number with a fraction, or as a string of one. Anything else counts as absent.</summary>
    private static bool TryReadCount(ref Utf8JsonReader reader, out long count)
    {
        count = 0;
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out count))
        {
            count = Math.Clamp(count, 0, TokensMax);
            return true;
        }

        if (reader.TokenType is JsonTokenType.Number or JsonTokenType.String)
        {
            var text = reader.ValueSpan;
            if (Utf8Parser.TryParse(text, out double number, out var used) && used == text.Length && !double.IsNaN(number))
            {
                count = (long)Math.Clamp(number, 0, TokensMax);
                return true;
            }

            return false;
        }

        reader.Skip();
        return false;
    }

    private enum Field
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

    /// <summary>What was reported; null means that it was not.</summary>
    private struct Counts
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

        public void Set(Field field, long count)
        {
            switch (field)
            {
                case Field.Prompt: prompt = count; break;
                case Field.Completion: completion = count; break;
                case Field.Total: total = count; break;
                case Field.InputTokens: inputTokens = count; break;
                case Field.OutputTokens: outputTokens = count; break;
                case Field.CacheRead: cacheRead = count; break;
                case Field.CacheCreationTotal: cacheCreation = count; break;
                case Field.CacheWrite5m: cacheWrite5m = count; break;
                case Field.CacheWrite1h: cacheWrite1h = count; break;
                case Field.InputAudio: inputAudio = count; break;
                case Field.OutputAudio: outputAudio = count; break;

                // Some servers report these twice, once in the details: the same tokens, so never added up.
                case Field.Cached: cached = Math.Max(cached, count); break;
                case Field.CacheWrite: cacheWrite = Math.Max(cacheWrite, count); break;
                case Field.Reasoning: reasoning = Math.Max(reasoning, count); break;
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
}
