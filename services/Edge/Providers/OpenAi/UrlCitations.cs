using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>
/// What of an answer cites a page of the web, as OpenAI's <c>annotations</c>. Most other providers cite by blocks of text; OpenAI says from which character of
/// the whole answer to which.
/// </summary>
internal sealed class UrlCitations
{
    private readonly List<(int Start, int End, byte[] Url, byte[] Title)> closed = [];
    private readonly List<(byte[] Url, byte[] Title)> open = [];
    private int begins;
    private int said;

    /// <summary>More of the answer's text.</summary>
    public void Say(ReadOnlySpan<byte> escaped) => said += Characters(escaped);

    /// <summary>The block that is open cites something: a page of the web is cited as OpenAI does; a place in a document has no word there, and is named.</summary>
    public void CiteOrName(JsonElement page, JsonElement title, ReplyLosses? losses)
    {
        if (page.RawText().StartsWith("http"u8))
        {
            open.Add((page.RawText().ToArray(), title.RawText().ToArray()));
        }
        else
        {
            losses?.Add("citations");
        }
    }

    /// <summary>A place that its provider told by itself.</summary>
    /// <param name="start">Its first character in the whole answer.</param>
    /// <param name="end">The first behind it.</param>
    /// <param name="url">Escaped for JSON.</param>
    /// <param name="title">Escaped for JSON.</param>
    public void Cite(int start, int end, byte[] url, byte[] title) => closed.Add((start, end, url, title));

    /// <summary>The block has ended: another begins.</summary>
    public void CloseBlock()
    {
        foreach (var (url, title) in open)
        {
            closed.Add((begins, said, url, title));
        }

        open.Clear();
        begins = said;
    }

    /// <summary>The list of those that were not taken yet; empty when there are none.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        if (closed.Count == 0)
        {
            return default;
        }

        var list = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(list, Completion.Writing);
        json.WriteStartArray();
        foreach (var (start, end, url, title) in closed)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "url_citation"u8);
            json.WriteStartObject("url_citation"u8);
            json.WriteNumber("start_index"u8, start);
            json.WriteNumber("end_index"u8, end);
            EscapedText.WriteValue(json, "url"u8, url);
            EscapedText.WriteValue(json, "title"u8, title);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
        closed.Clear();
        return list.WrittenMemory;
    }

    /// <summary>How many characters a text has that is escaped for JSON.</summary>
    private static int Characters(ReadOnlySpan<byte> escaped)
    {
        var count = 0;
        for (var at = 0; at < escaped.Length; at++)
        {
            if (escaped[at] == '\\' && escaped[(at + 1)..] is [(byte)'u', ..])
            {
                // The second half of a pair is no character of its own.
                count += escaped[(at + 2)..] is [(byte)'d' or (byte)'D', (>= (byte)'c' and <= (byte)'f') or (>= (byte)'C' and <= (byte)'F'), ..] ? 0 : 1;
                at += 5;
            }
            else if (escaped[at] == '\\')
            {
                count++;
                at++;
            }
            else if ((escaped[at] & 0xC0) != 0x80)
            {
                count++;
            }
        }

        return count;
    }
}
