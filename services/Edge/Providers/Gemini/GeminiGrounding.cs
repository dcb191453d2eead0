using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>
/// Which pages of the web an answer rests on (<c>groundingMetadata</c>): Google says it behind the text, by bytes, OpenAI by characters in <c>annotations</c>.
/// </summary>
internal sealed class GeminiGrounding
{
    // An answer is a few thousand bytes, with some tens of places. What is beyond these is named and not cited.
    private const int TextBytesMax = 256 * 1024;
    private const int PlacesMax = 512;

    private readonly ArrayBufferWriter<byte> text = new();
    private readonly HashSet<(int Start, int End, string Url)> said = [];

    /// <summary>The pages that were named last: the places may come in a later event than they.</summary>
    private List<(string Url, byte[] Escaped, byte[] Title)?> pages = [];

    /// <summary>More of the answer's text.</summary>
    public void Say(JsonElement more)
    {
        if (more.Text() is { Length: > 0 } words && text.WrittenCount < TextBytesMax)
        {
            Encoding.UTF8.GetBytes(words, text);
        }
    }

    /// <summary>Says what can be said of it; the rest is named.</summary>
    /// <param name="grounding">The metadata of a reply, or of an event whose text was said before.</param>
    /// <param name="citations">Takes the places.</param>
    /// <param name="losses">Takes what has no place in OpenAI's words.</param>
    public void Cite(JsonElement grounding, UrlCitations citations, ReplyLosses? losses)
    {
        if (grounding.Field("groundingChunks"u8) is { ValueKind: JsonValueKind.Array } chunks)
        {
            pages = [.. chunks.EnumerateArray().Select(static chunk => PageOf(chunk.Field("web"u8)))];
        }

        foreach (var support in grounding.Field("groundingSupports"u8).Items())
        {
            var place = said.Count < PlacesMax ? Find(support.Field("segment"u8)) : null;
            foreach (var index in support.Field("groundingChunkIndices"u8).Items())
            {
                if (place is { } at && index.Int() is { } number && number >= 0 && number < pages.Count && pages[number] is { } page)
                {
                    if (said.Add((at.Start, at.End, page.Url)))
                    {
                        citations.Cite(at.Start, at.End, page.Escaped, page.Title);
                    }
                }
                else
                {
                    losses?.Add("groundingSupports");
                }
            }
        }

        losses?.AddOthers(grounding, "groundingChunks", "groundingSupports");
    }

    /// <summary>The answer is whole: what was found, and no place of it rests on, is named.</summary>
    public void End(ReplyLosses? losses)
    {
        if (pages.Exists(page => page is not { } one || !said.Any(place => place.Url == one.Url)))
        {
            losses?.Add("groundingChunks");
        }
    }

    private static (string Url, byte[] Escaped, byte[] Title)? PageOf(JsonElement web) =>
        web.Field("uri"u8).Text() is { } url && url.StartsWith("http", StringComparison.Ordinal) ? (url, web.Field("uri"u8).RawText().ToArray(), web.Field("title"u8).RawText().ToArray()) : null;

    /// <summary>The characters of a segment that is told by its bytes, or, where those are counted in one of several parts, by its words; null where it is not found.</summary>
    private (int Start, int End)? Find(JsonElement segment)
    {
        var (start, end) = (segment.Field("startIndex"u8).Int() ?? 0, segment.Field("endIndex"u8).Int() ?? 0);
        var all = text.WrittenSpan;
        if (start < 0 || start > all.Length)
        {
            return null;
        }

        if (segment.Field("text"u8).Text() is { Length: > 0 } words)
        {
            var bytes = Encoding.UTF8.GetBytes(words);
            var at = all[start..].IndexOf(bytes);
            (start, end) = (start + at, start + at + bytes.Length);
            if (at < 0)
            {
                return null;
            }
        }

        if (end <= start || end > all.Length)
        {
            return null;
        }

        var before = Characters(all[..start]);
        return (before, before + Characters(all[start..end]));
    }

    private static int Characters(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var unit in utf8)
        {
            count += (unit & 0xC0) == 0x80 ? 0 : 1;
        }

        return count;
    }
}
