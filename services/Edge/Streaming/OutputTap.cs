using System.Buffers;

namespace Gateway.Edge.Streaming;

/// <summary>
/// Collects the text that a streamed answer has produced, so that it can be counted when the provider does not report usage. It looks for
/// the few fields that hold text instead of parsing each chunk, and keeps the text as it stands in JSON.
/// </summary>
internal sealed class OutputTap : IDisposable
{
    /// <summary>Text beyond this is counted by its length alone.</summary>
    public const int TextBytesMax = 1 << 20;

    private static readonly SearchValues<byte> QuoteOrEscape = SearchValues.Create("\"\\"u8);

    private static ReadOnlySpan<byte> Spaces => " \t\r\n"u8;

    private byte[]? text;
    private int length;

    /// <summary>Bytes of text seen, more than are kept when there are very many.</summary>
    public long Bytes { get; private set; }

    /// <summary>Pieces of text seen: about as many tokens as providers send.</summary>
    public int Pieces { get; private set; }

    /// <summary>The text that is kept, with JSON's escapes.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, length);

    /// <summary>Looks at one or several chunks of OpenAI's format.</summary>
    public void Observe(ReadOnlySpan<byte> chunks)
    {
        var thoughts = Collect(chunks, "content\""u8, "reasoning_"u8);
        Collect(chunks, "\"name\""u8);
        Collect(chunks, "\"arguments\""u8);

        // OpenRouter's, Groq's and newer vLLM's word for thoughts. Who says both says the same text twice.
        if (!thoughts)
        {
            Collect(chunks, "\"reasoning\""u8);
        }
    }

    public void Dispose()
    {
        if (text is { } array)
        {
            text = null;
            length = 0;
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    /// <summary>
    /// Takes the texts of a field, given with its closing quote: <c>content"</c> also ends <c>"reasoning_content"</c>, and both are output. Whole
    /// answers may have spaces around the colon.
    /// </summary>
    /// <param name="chunks">Where it is looked for.</param>
    /// <param name="field">The field.</param>
    /// <param name="before">What may stand before it.</param>
    /// <returns>Whether a text was taken before whose field that stands.</returns>
    public bool Collect(ReadOnlySpan<byte> chunks, ReadOnlySpan<byte> field, ReadOnlySpan<byte> before = default)
    {
        var found = false;
        while (chunks.IndexOf(field) is >= 0 and var at)
        {
            var stands = !before.IsEmpty && chunks[..at].EndsWith(before);
            chunks = chunks[(at + field.Length)..].TrimStart(Spaces);
            if (chunks is not [(byte)':', ..])
            {
                continue;
            }

            chunks = chunks[1..].TrimStart(Spaces);
            if (chunks is not [(byte)'"', ..])
            {
                continue;
            }

            chunks = chunks[1..];
            var end = 0;
            while (end < chunks.Length)
            {
                var next = chunks[end..].IndexOfAny(QuoteOrEscape);
                if (next < 0)
                {
                    end = chunks.Length;
                }
                else if (chunks[end + next] == (byte)'"')
                {
                    end += next;
                    break;
                }
                else
                {
                    end = Math.Min(chunks.Length, end + next + 2);
                }
            }

            Keep(chunks[..end]);
            found |= stands && end > 0;
            chunks = chunks[end..];
        }

        return found;
    }

    private void Keep(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        Pieces++;
        Bytes += piece.Length;
        if (length + piece.Length > TextBytesMax)
        {
            return;
        }

        if (text is null || text.Length - length < piece.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, (length + piece.Length) * 2));
            text.AsSpan(0, length).CopyTo(larger);
            if (text is not null)
            {
                ArrayPool<byte>.Shared.Return(text);
            }

            text = larger;
        }

        piece.CopyTo(text.AsSpan(length));
        length += piece.Length;
    }
}
