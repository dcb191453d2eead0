using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>Finds in a request what only Gemini understands: signatures behind the ids of tool calls, and whole blocks whose signature is marked as none of their provider's.</summary>
internal ref struct SignedPlaces(ReadOnlySpan<byte> request)
{
    private static readonly SearchValues<byte> Signs = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="u8);
    private static readonly byte[] Mark = Encoding.ASCII.GetBytes(SignedCallId.Mark);

    private readonly ReadOnlySpan<byte> request = request;
    private readonly List<(int Start, int End)> places = [];

    /// <summary>The lists and objects around the token; an object's member says what is to be cut.</summary>
    private readonly Stack<(int Start, bool IsObject, bool IsCut)> around = new();

    /// <summary>The places, one after the other: none within another.</summary>
    public Range[] Find()
    {
        var json = new Utf8JsonReader(request, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    around.Push(((int)json.TokenStartIndex, json.TokenType == JsonTokenType.StartObject, false));
                    break;
                case JsonTokenType.EndArray:
                    around.Pop();
                    break;
                case JsonTokenType.EndObject:
                    Close((int)json.TokenStartIndex + 1);
                    break;
                case JsonTokenType.PropertyName:
                    ReadMember(ref json);
                    break;
            }
        }

        return [.. places.Select(static place => place.Start..place.End)];
    }

    private readonly void ReadMember(ref Utf8JsonReader json)
    {
        var isId = json.ValueTextEquals("id"u8) || json.ValueTextEquals("tool_call_id"u8) || json.ValueTextEquals("tool_use_id"u8) || json.ValueTextEquals("call_id"u8);
        if (!isId && !json.ValueTextEquals("signature"u8) && !json.ValueTextEquals("encrypted_content"u8))
        {
            return;
        }

        // A value that is an object or a list is read with its own members.
        var value = json;
        value.Read();
        var at = value.TokenType == JsonTokenType.String ? value.ValueSpan.IndexOf(Mark) : -1;
        if (!isId && at == 0)
        {
            around.Push(around.Pop() with { IsCut = true });
        }
        else if (isId && at > 0 && value.ValueSpan.Length > at + Mark.Length && !value.ValueSpan[(at + Mark.Length)..].ContainsAnyExcept(Signs))
        {
            var start = (int)value.TokenStartIndex + 1;
            places.Add((start + at, start + value.ValueSpan.Length));
        }
    }

    private readonly void Close(int end)
    {
        var (start, _, isCut) = around.Pop();
        if (!isCut || around.Count == 0 || around.Peek().IsObject)
        {
            return;
        }

        places.RemoveAll(place => place.Start >= start);
        var behind = end + Spaces(end);
        if (behind < request.Length && request[behind] == (byte)',')
        {
            places.Add((start, behind + 1));
            return;
        }

        // The last of its list: the comma before it goes, and that may stand before others that were cut.
        while (places is [.., var before] && before.End + Spaces(before.End) == start && request[before.End - 1] == (byte)',')
        {
            start = before.Start;
            places.RemoveAt(places.Count - 1);
        }

        var comma = request[..start].TrimEnd(" \t\r\n"u8).Length - 1;
        places.Add((request[comma] == (byte)',' ? comma : start, end));
    }

    private readonly int Spaces(int from) => request.Length - from - request[from..].TrimStart(" \t\r\n"u8).Length;
}
