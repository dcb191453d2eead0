using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>A page of the web that a text cites: chat says it inside <c>url_citation</c>, Responses beside its type.</summary>
/// <param name="Start">The first character of the text that cites it.</param>
/// <param name="End">The first character after.</param>
/// <param name="Url">Its address.</param>
/// <param name="Title">Its title.</param>
internal readonly record struct PageCitation(int Start, int End, string Url, string Title)
{
    /// <summary>The citations of a message or a piece of one.</summary>
    /// <param name="said">In the words of chat.</param>
    /// <param name="losses">Takes what is cited that is no page.</param>
    /// <param name="before">How many characters of the answer stand in messages before this one.</param>
    public static IEnumerable<PageCitation> In(JsonElement said, ReplyLosses losses, int before = 0)
    {
        foreach (var annotation in said.Field("annotations"u8).Items())
        {
            if (annotation.Field("url_citation"u8) is not { ValueKind: JsonValueKind.Object } citation)
            {
                losses.Add("annotations");
                continue;
            }

            yield return new PageCitation(
                Math.Max(0, (citation.Field("start_index"u8).Int() ?? 0) - before), Math.Max(0, (citation.Field("end_index"u8).Int() ?? 0) - before), citation.Field("url"u8).Text() ?? "", citation.Field("title"u8).Text() ?? "");
        }
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "url_citation"u8);
        json.WriteNumber("start_index"u8, Start);
        json.WriteNumber("end_index"u8, End);
        json.WriteString("url"u8, Url);
        json.WriteString("title"u8, Title);
        json.WriteEndObject();
    }
}
