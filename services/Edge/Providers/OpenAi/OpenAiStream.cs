using System.Numerics;
using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>What a frame of OpenAI's stream is to a relay.</summary>
internal enum OpenAiFrame
{
    /// <summary>A part of the answer.</summary>
    Chunk,

    /// <summary>The usage and nothing else.</summary>
    Usage,

    /// <summary>The provider failed.</summary>
    Error,

    /// <summary>The end: <c>[DONE]</c>.</summary>
    Done,
}

/// <summary>
/// Reads what a relay must know of a stream that is OpenAI's already and passes as it came: its usage, its end, its error. Nearly every frame is
/// looked through for a few words and not parsed, and nothing is allocated for it.
/// </summary>
/// <param name="choices">The answers that were asked for (<c>n</c>).</param>
internal struct OpenAiStream(int choices)
{
    // A bit for each choice that has a reason to finish; n is at most 128.
    private UInt128 finished;
    private bool done;

    /// <summary>The usage until now; null while none was reported. Of several reports the newer one wins, and what it is silent about stands.</summary>
    public TokenUsage? Usage { get; private set; }

    /// <summary>What the provider failed with.</summary>
    public ProviderError? Error { get; private set; }

    /// <summary>Whether the answer is whole. Not every server ends with <c>[DONE]</c>: a reason to finish for every choice is an end too.</summary>
    public readonly bool Complete => done || (UInt128.PopCount(finished) >= (UInt128)Math.Max(1, choices) && Error is null);

    /// <summary>Takes one frame.</summary>
    /// <param name="name">The event's name; empty for nearly all servers.</param>
    /// <param name="data">Its data, without space around it.</param>
    /// <param name="reported">The usage that the frame has; null for none.</param>
    /// <exception cref="MalformedReplyException">It is no JSON object, and would break the client's reader.</exception>
    public OpenAiFrame Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, out TokenUsage? reported)
    {
        reported = null;
        if (data.SequenceEqual("[DONE]"u8))
        {
            done = true;
            return OpenAiFrame.Done;
        }

        if (name.SequenceEqual("error"u8) || MaySayError(data))
        {
            Error = ReadError(name, data);
            if (Error is not null)
            {
                return OpenAiFrame.Error;
            }
        }

        if (data is not [(byte)'{', .., (byte)'}'])
        {
            throw new MalformedReplyException("A frame of the stream is no JSON object.");
        }

        if (data.IndexOf("\"usage\""u8) >= 0 && OpenAiUsage.TryRead(data, out var usage))
        {
            reported = usage;
            Usage = OpenAiUsage.Merge(Usage, usage);
            if (HasNoChoices(data))
            {
                return OpenAiFrame.Usage;
            }
        }

        if (SaysFinish(data))
        {
            ReadFinish(data);
        }

        return OpenAiFrame.Chunk;
    }

    /// <summary>Whether <c>error</c> stands there as a name or a value. In a text its quotes would be escaped; a null says that there is none.</summary>
    private static bool MaySayError(ReadOnlySpan<byte> data)
    {
        while (data.IndexOf("\"error\""u8) is >= 0 and var at)
        {
            data = data[(at + 7)..];
            if (data.TrimStart(" \t\r\n:"u8) is not [(byte)'n', (byte)'u', ..])
            {
                return true;
            }
        }

        return false;
    }

    private static ProviderError? ReadError(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data);
            using var document = JsonDocument.ParseValue(ref reader);
            var chunk = document.RootElement;
            var ofChoice = chunk.Field("choices"u8).Items().FirstOrDefault();
            return chunk.Field("error"u8).Given() || name.SequenceEqual("error"u8) || chunk.Field("object"u8).Is("error"u8) || chunk.Field("type"u8).Is("error"u8)
                ? OpenAiError.FromFrame(data)
                : ofChoice.Field("error"u8).Given() ? OpenAiError.FromFrame(ofChoice.Raw())
                : null;
        }
        catch (JsonException)
        {
            return name.SequenceEqual("error"u8) ? OpenAiError.FromFrame(data) : null;
        }
    }

    private static bool HasNoChoices(ReadOnlySpan<byte> data)
    {
        var at = data.IndexOf("\"choices\""u8);
        if (at < 0)
        {
            return true;
        }

        var rest = data[(at + 9)..].TrimStart(": \t\r\n"u8);
        return rest is [(byte)'[', ..] && rest[1..].TrimStart(" \t\r\n"u8) is [(byte)']', ..];
    }

    /// <summary>Whether some reason to finish stands there that is neither null nor empty.</summary>
    private static bool SaysFinish(ReadOnlySpan<byte> data)
    {
        while (data.IndexOf("\"finish_reason\""u8) is >= 0 and var at)
        {
            data = data[(at + 15)..];
            if (data.TrimStart(" \t\r\n:"u8) is [(byte)'"', not (byte)'"', ..])
            {
                return true;
            }
        }

        return false;
    }

    private void ReadFinish(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data);
        try
        {
            var inChoices = false;
            var reason = false;
            var index = 0;
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                        inChoices = Is(reader, "choices"u8);
                        break;
                    case JsonTokenType.StartObject when reader.CurrentDepth == 2:
                        (reason, index) = (false, 0);
                        break;
                    case JsonTokenType.PropertyName when inChoices && reader.CurrentDepth == 3 && Is(reader, "finish_reason"u8):
                        reader.Read();
                        reason = reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0;
                        reader.Skip();
                        break;
                    case JsonTokenType.PropertyName when inChoices && reader.CurrentDepth == 3 && Is(reader, "index"u8):
                        reader.Read();
                        index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number) ? number : 0;
                        reader.Skip();
                        break;
                    case JsonTokenType.EndObject when inChoices && reader.CurrentDepth == 2 && reason:
                        finished |= UInt128.One << index;
                        break;
                }
            }
        }
        catch (JsonException)
        {
            // The frame is the client's to judge; an end that cannot be read is none.
        }
    }

    // Another name may be broken (half a surrogate pair): a comparison that unescapes it would throw.
    private static bool Is(in Utf8JsonReader name, ReadOnlySpan<byte> expected) => name.ValueSpan.SequenceEqual(expected);
}
