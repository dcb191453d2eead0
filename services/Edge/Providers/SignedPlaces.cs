using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>
/// Finds in a request what its provider would not understand: signatures behind the ids of tool calls, whole blocks whose signature is marked as none of
/// their provider's, and what is left of a message when they go.
/// </summary>
internal ref struct SignedPlaces(ReadOnlySpan<byte> request)
{
    private static readonly SearchValues<byte> Signs = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="u8);
    private static readonly byte[] Mark = Encoding.ASCII.GetBytes(SignedCallId.Mark);

    // What every text that begins with the mark has in common in base64: the last sign would be made of what follows, too.
    private static readonly byte[] SealedMark = Encoding.ASCII.GetBytes(Convert.ToBase64String(Mark)[..(Mark.Length * 8 / 6)]);

    private readonly ReadOnlySpan<byte> request = request;
    private readonly List<(int Start, int End)> places = [];

    /// <summary>The lists and objects around the token.</summary>
    private readonly Stack<Around> around = new();

    /// <summary>The places in a request, whatever surface it speaks, one after the other: none within another.</summary>
    /// <param name="request">A JSON object.</param>
    public static Range[] In(ReadOnlySpan<byte> request) => MayBeIn(request) ? new SignedPlaces(request).Find() : [];

    /// <summary>Whether a request may have any: two searches, which is all that those without are asked.</summary>
    private static bool MayBeIn(ReadOnlySpan<byte> request) => request.IndexOf(Mark) >= 0 || request.IndexOf(SealedMark) >= 0;

    private readonly Range[] Find()
    {
        var json = new Utf8JsonReader(request, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    around.Push(new Around((int)json.TokenStartIndex, json.TokenType == JsonTokenType.StartObject));
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Close((int)json.TokenStartIndex + 1);
                    break;
                case JsonTokenType.PropertyName:
                    ReadMember(ref json);
                    break;
                default:
                    Keep();
                    break;
            }
        }

        return [.. places.Select(static place => place.Start..place.End)];
    }

    private readonly void ReadMember(ref Utf8JsonReader json)
    {
        // A value that is an object or a list is read with its own members.
        var value = json;
        value.Read();
        var holder = around.Peek();
        if (!json.CanBeCompared())
        {
            holder.SaysMore = true;
        }
        else if (json.ValueTextEquals("id"u8) || json.ValueTextEquals("tool_call_id"u8) || json.ValueTextEquals("tool_use_id"u8) || json.ValueTextEquals("call_id"u8))
        {
            holder.SaysMore = true;
            ReadId(ref value);
        }
        else if (json.ValueTextEquals("signature"u8) || json.ValueTextEquals("encrypted_content"u8))
        {
            holder.IsMarked |= value.TokenType == JsonTokenType.String && value.ValueSpan.StartsWith(Mark);
        }
        else if (json.ValueTextEquals("thoughtSignature"u8) || json.ValueTextEquals("thought_signature"u8))
        {
            if (value.TokenType == JsonTokenType.String && value.ValueSpan.StartsWith(SealedMark))
            {
                holder.IsSealed = true;
                Cut((int)json.TokenStartIndex, (int)value.BytesConsumed);
            }
        }
        else if (json.ValueTextEquals("text"u8))
        {
            holder.HasText |= value.TokenType != JsonTokenType.String || !value.ValueSpan.IsEmpty;
        }
        else if (json.ValueTextEquals("content"u8))
        {
            holder.SaysMore = true;
            holder.Keeps |= value.TokenType == JsonTokenType.String && !value.ValueSpan.IsEmpty;
        }
        else if (json.ValueTextEquals("thought"u8))
        {
            holder.IsThought |= value.TokenType == JsonTokenType.True;
        }
        else
        {
            holder.SaysMore = true;
        }
    }

    private readonly void ReadId(ref Utf8JsonReader value)
    {
        var at = value.TokenType == JsonTokenType.String ? value.ValueSpan.IndexOf(Mark) : -1;
        if (at > 0 && value.ValueSpan.Length > at + Mark.Length && !value.ValueSpan[(at + Mark.Length)..].ContainsAnyExcept(Signs))
        {
            var start = (int)value.TokenStartIndex + 1;
            places.Add((start + at, start + value.ValueSpan.Length));
        }
    }

    /// <summary>What stands in a list stays there.</summary>
    private readonly void Keep()
    {
        if (around.TryPeek(out var list) && !list.IsObject)
        {
            list.Keeps = true;
        }
    }

    private readonly void Close(int end)
    {
        var closed = around.Pop();
        if (!around.TryPeek(out var holder))
        {
            return;
        }

        if (closed.IsObject && closed.IsCut && !holder.IsObject)
        {
            while (places is [.., var within] && within.Start >= closed.Start)
            {
                places.RemoveAt(places.Count - 1);
            }

            holder.Loses = true;
            Cut(closed.Start, end);
        }
        else if (holder.IsObject && !closed.IsObject)
        {
            holder.Loses |= closed.Loses && !closed.Keeps;
            holder.Keeps |= closed.Keeps;
        }
        else
        {
            Keep();
        }
    }

    /// <summary>Cuts an element of a list or a member of an object out, with a comma.</summary>
    private readonly void Cut(int start, int end)
    {
        var behind = end + Spaces(end);
        if (behind < request.Length && request[behind] == (byte)',')
        {
            places.Add((start, behind + 1));
            return;
        }

        // The last one: the comma before it goes, and that may stand before others that were cut.
        while (places is [.., var before] && before.End + Spaces(before.End) == start && request[before.End - 1] == (byte)',')
        {
            start = before.Start;
            places.RemoveAt(places.Count - 1);
        }

        var comma = request[..start].TrimEnd(" \t\r\n"u8).Length - 1;
        places.Add((request[comma] == (byte)',' ? comma : start, end));
    }

    private readonly int Spaces(int from) => request.Length - from - request[from..].TrimStart(" \t\r\n"u8).Length;

    /// <summary>A list or an object, and what of it was read.</summary>
    private sealed class Around(int start, bool isObject)
    {
        public int Start => start;

        public bool IsObject => isObject;

        /// <summary>Its signature is marked.</summary>
        public bool IsMarked { get; set; }

        /// <summary>A part of Gemini's with what another provider signed, which is cut: the rest stays where it says more than what was thought.</summary>
        public bool IsSealed { get; set; }

        public bool IsThought { get; set; }

        public bool HasText { get; set; }

        public bool SaysMore { get; set; }

        /// <summary>Of a list an element is cut; of an object a list has nothing left.</summary>
        public bool Loses { get; set; }

        /// <summary>Of a list an element stays; of an object, in one of its lists, or its content is words.</summary>
        public bool Keeps { get; set; }

        /// <summary>Whether it is cut where it stands in a list. Anthropic refuses a message whose content is empty; one that has calls beside it has more to say.</summary>
        public bool IsCut => IsMarked || (Loses && !Keeps) || (IsSealed && !SaysMore && (IsThought || !HasText));
    }
}
