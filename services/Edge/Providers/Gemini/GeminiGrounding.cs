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

    /// <summary>Where each part of the content begins, in the answer's bytes.</summary>
    private readonly List<int> parts = [];

    /// <summary>The places that were found, by what was told of them: a stream may tell them again with each event.</summary>
    private readonly Dictionary<(int Part, int Start, int End, string? Words), (int Start, int End)> found = [];

    private (bool IsText, bool IsThought) last;
    private bool mayGoOn;
    private int looked;

    /// <summary>The pages that were named last: the places may come in a later event than they.</summary>
    private List<(string Url, byte[] Escaped, byte[] Title)?> pages = [];

    /// <summary>Another event of a stream: its first part may be more of the last.</summary>
    public void NextEvent() => mayGoOn = parts.Count > 0;

    /// <summary>The next part of the content, or, in a stream, more of one: texts, and thoughts, that come one after the other are one part of the whole.</summary>
    public void Say(JsonElement part)
    {
        var words = part.Field("text"u8);
        var kind = (words.ValueKind == JsonValueKind.String, GeminiReply.IsThought(part));
        if (!(mayGoOn && last.IsText && kind == last) && parts.Count < PlacesMax)
        {
            parts.Add(text.WrittenCount);
        }

        (last, mayGoOn) = (kind, false);
        if (last is (IsText: true, IsThought: false) && text.WrittenCount < TextBytesMax)
        {
            Add(words);
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

    // Nearly every piece stands in its event as it is in the text, and nearly no answer rests on pages: it is not decoded for that.
    private void Add(JsonElement words)
    {
        if (words.RawText() is var raw && raw.IndexOf((byte)'\\') < 0)
        {
            text.Write(raw);
        }
        else if (words.Text() is { } decoded)
        {
            Encoding.UTF8.GetBytes(decoded, text);
        }
    }

    private static (string Url, byte[] Escaped, byte[] Title)? PageOf(JsonElement web) =>
        web.Field("uri"u8).Text() is { } url && url.StartsWith("http", StringComparison.Ordinal) ? (url, web.Field("uri"u8).RawText().ToArray(), web.Field("title"u8).RawText().ToArray()) : null;

    /// <summary>The characters of a segment that is told by the bytes of one of the parts; null where it is not found, or too many were looked for.</summary>
    private (int Start, int End)? Find(JsonElement segment)
    {
        var told = (
            Part: segment.Field("partIndex"u8).Int() ?? 0, Start: segment.Field("startIndex"u8).Int() ?? 0, End: segment.Field("endIndex"u8).Int() ?? 0,
            Words: segment.Field("text"u8).Text());
        if (found.TryGetValue(told, out var place))
        {
            return place;
        }

        if (looked++ >= PlacesMax || told.Start < 0)
        {
            return null;
        }

        long begins = told.Part >= 0 && told.Part < parts.Count ? parts[told.Part] : 0;
        if (Bytes(begins + told.Start, begins + told.End, told.Words) is not var (start, end))
        {
            return null;
        }

        var before = Characters(text.WrittenSpan[..start]);
        return found[told] = (before, before + Characters(text.WrittenSpan[start..end]));
    }

    /// <summary>A place, or that of its words: at it, behind it, or anywhere, because who tells it may have counted otherwise.</summary>
    private (int Start, int End)? Bytes(long start, long end, string? words)
    {
        var all = text.WrittenSpan;
        if (words is not { Length: > 0 })
        {
            return start < end && end <= all.Length ? ((int)start, (int)end) : null;
        }

        var bytes = Encoding.UTF8.GetBytes(words);
        var from = start <= all.Length ? (int)start : 0;
        var at = all[from..].IndexOf(bytes);
        if (at < 0)
        {
            (from, at) = (0, all.IndexOf(bytes));
        }

        return at < 0 ? null : (from + at, from + at + bytes.Length);
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
