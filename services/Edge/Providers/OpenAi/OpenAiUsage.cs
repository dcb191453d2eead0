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

        var counts = default(UsageCounts);
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
        var value = LastIn(json, out var at);
        var counts = ReadAt(value, out var length);
        if (counts.Any && length > 0 && (ClosesOnce(value[length..]) || OpensOnce(json[..at])))
        {
            usage = counts.ToUsage();
            return true;
        }

        return TryRead(json, out usage);
    }

    /// <summary>The usage in the last bytes of a reply that was not held as a whole. What stands before bytes that are wrong still counts.</summary>
    public static bool TryReadLast(ReadOnlySpan<byte> end, out TokenUsage usage)
    {
        var counts = ReadAt(LastIn(end, out _), out _);
        usage = counts.Any ? counts.ToUsage() : Nothing;
        return counts.Any;
    }

    /// <summary>Reads the usage object that the reader stands on.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out TokenUsage usage)
    {
        var counts = default(UsageCounts);
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

    /// <summary>From the brace of the last object <c>usage</c> on; empty when there is none.</summary>
    private static ReadOnlySpan<byte> LastIn(ReadOnlySpan<byte> json, out int at)
    {
        // In a text of the answer the quotation marks would have a backslash before them.
        at = json.LastIndexOf("\"usage\""u8);
        return at > 0 && json[at - 1] != (byte)'\\' && json[(at + "\"usage\"".Length)..].TrimStart(" \t\r\n:"u8) is [(byte)'{', ..] value ? value : default;
    }

    /// <summary>Reads one usage; <paramref name="length"/> is 0 where its bytes go wrong.</summary>
    private static UsageCounts ReadAt(ReadOnlySpan<byte> value, out int length)
    {
        var counts = default(UsageCounts);
        length = 0;
        if (value.IsEmpty)
        {
            return counts;
        }

        try
        {
            var reader = new Utf8JsonReader(value);
            reader.Read();
            ReadUsage(ref reader, ref counts);
            length = reader.TokenType == JsonTokenType.EndObject ? (int)reader.BytesConsumed : 0;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // What was read before still counts where nothing better is to be had.
        }

        return counts;
    }

    // What stands at the top has one brace open before it and one to close behind it. A bracket in a text makes this false, never true.
    private static bool OpensOnce(ReadOnlySpan<byte> before) => before.TrimStart(" \t\r\n"u8) is [(byte)'{', .. var rest] && rest.IndexOfAny("{}[]"u8) < 0;

    private static bool ClosesOnce(ReadOnlySpan<byte> behind) => behind.TrimEnd(" \t\r\n"u8) is [.. var rest, (byte)'}'] && rest.IndexOfAny("{}[]"u8) < 0;

    /// <summary>An object that has a usage, or has an object that has one.</summary>
    private static void ReadHolder(ref Utf8JsonReader reader, ref UsageCounts counts, int depth)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("usage"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    // The usage at the top is the whole reply's and wins over one that a choice carries.
                    var own = default(UsageCounts);
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

    private static void ReadNested(ref Utf8JsonReader reader, ref UsageCounts counts)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        var nested = default(UsageCounts);
        ReadHolder(ref reader, ref nested, depth: 1);
        if (nested.Any && !counts.Any)
        {
            counts = nested;
        }
    }

    private static void ReadUsage(ref Utf8JsonReader reader, ref UsageCounts counts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.HasValueSequence ? default : reader.ValueSpan;
            var field = UsageFields.Of(name);
            reader.Read();
            switch (field)
            {
                case UsageField.InputDetails or UsageField.OutputDetails or UsageField.CacheCreation when reader.TokenType == JsonTokenType.StartObject:
                    counts.HasInputDetails |= field == UsageField.InputDetails;
                    ReadDetails(ref reader, field, ref counts);
                    break;
                case UsageField.None or UsageField.InputDetails or UsageField.OutputDetails or UsageField.CacheCreation:
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

    private static void ReadDetails(ref Utf8JsonReader reader, UsageField of, ref UsageCounts counts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = UsageFields.OfDetail(reader.HasValueSequence ? default : reader.ValueSpan, of);
            reader.Read();
            if (field == UsageField.CacheCreation && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadDetails(ref reader, UsageField.CacheCreation, ref counts);
            }
            else if (field is UsageField.None or UsageField.CacheCreation)
            {
                reader.Skip();
            }
            else if (TryReadCount(ref reader, out var count))
            {
                counts.Set(field, count);
            }
        }
    }

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
}
