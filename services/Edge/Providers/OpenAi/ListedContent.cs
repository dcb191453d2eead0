using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>
/// The answers of models that reason as Mistral gives them, and some who serve its models or do the same: their <c>content</c> is a list of what
/// they thought and what they say, where OpenAI's is a text. Clients find the text as <c>content</c> and the thoughts as <c>reasoning_content</c>;
/// everything else stays as it came.
/// </summary>
internal static class ListedContent
{
    /// <summary>The reply or chunk in OpenAI's words; null when it is in them already.</summary>
    /// <param name="reply">The reply, or the chunk.</param>
    /// <param name="losses">Takes the kinds of parts that are neither.</param>
    /// <exception cref="MalformedReplyException">It is no JSON object, or a name in it is broken.</exception>
    public static byte[]? Mend(ReadOnlySpan<byte> reply, ReplyLosses? losses = null)
    {
        // Nearly always the content is a text that ended as OpenAI's do, and nothing is parsed.
        var endsAtWindow = reply.IndexOf("\"model_length\""u8) >= 0;
        if (!endsAtWindow && !ListMember.IsIn(reply, "\"content\""u8))
        {
            return null;
        }

        try
        {
            return endsAtWindow || HasList(reply) ? Say(reply, losses) : null;
        }
        catch (InvalidOperationException)
        {
            // A member's name is broken (half a surrogate pair).
            throw new MalformedReplyException("A name in the reply is broken.");
        }
    }

    private static byte[] Say(ReadOnlySpan<byte> reply, ReplyLosses? losses)
    {
        using var document = JsonReading.ParseReply(reply);
        var output = new ArrayBufferWriter<byte>(reply.Length);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            json.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.NameEquals("choices"u8) && member.Value.ValueKind == JsonValueKind.Array)
                {
                    json.WriteStartArray("choices"u8);
                    foreach (var choice in member.Value.EnumerateArray())
                    {
                        WriteChoice(json, choice, losses);
                    }

                    json.WriteEndArray();
                }
                else
                {
                    json.WriteCopy(member);
                }
            }

            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Whether a message's content is a list: so is the content of log probabilities, and nothing of those is written anew.</summary>
    private static bool HasList(ReadOnlySpan<byte> reply)
    {
        var reader = new Utf8JsonReader(reply);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                {
                    continue;
                }

                var leads = reader.CurrentDepth switch
                {
                    1 => reader.ValueTextEquals("choices"u8),
                    3 => reader.ValueTextEquals("message"u8) || reader.ValueTextEquals("delta"u8),
                    4 => reader.ValueTextEquals("content"u8),
                    _ => true,
                };
                if (!leads)
                {
                    reader.Skip();
                }
                else if (reader.CurrentDepth == 4 && reader.Read() && reader.TokenType == JsonTokenType.StartArray)
                {
                    return true;
                }
            }

            return false;
        }
        catch (JsonException)
        {
            // Whoever parses it says so.
            return true;
        }
    }

    private static void WriteChoice(Utf8JsonWriter json, JsonElement choice, ReplyLosses? losses)
    {
        if (choice.ValueKind != JsonValueKind.Object)
        {
            json.WriteCopy(choice);
            return;
        }

        json.WriteStartObject();
        foreach (var member in choice.EnumerateObject())
        {
            if ((member.NameEquals("message"u8) || member.NameEquals("delta"u8)) && member.Value.Field("content"u8).ValueKind == JsonValueKind.Array)
            {
                json.WritePropertyName(member.Name);
                WriteMessage(json, member.Value, losses);
            }
            else if (member.NameEquals("finish_reason"u8))
            {
                json.WritePropertyName("finish_reason"u8);
                WriteReason(json, member.Value);
            }
            else
            {
                json.WriteCopy(member);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>Mistral tells a bound that the caller set from the end of its window; to OpenAI's clients both are the length.</summary>
    private static void WriteReason(Utf8JsonWriter json, JsonElement reason)
    {
        if (reason.Is("model_length"u8))
        {
            json.WriteStringValue("length"u8);
        }
        else
        {
            json.WriteCopy(reason);
        }
    }

    private static void WriteMessage(Utf8JsonWriter json, JsonElement message, ReplyLosses? losses)
    {
        var said = new EscapedText();
        var thought = new EscapedText();
        foreach (var part in message.Field("content"u8).Items())
        {
            if (losses is not null && !part.Field("text"u8).Given() && !part.Field("thinking"u8).Given() && !part.Field("summary"u8).Given())
            {
                losses.Add(part.Field("type"u8).Text() ?? "content");
            }

            said.Add(part.Field("text"u8).RawText());
            thought.Add(part.Field("thinking"u8).RawText());
            foreach (var piece in part.Field("thinking"u8).Items().Concat(part.Field("summary"u8).Items()))
            {
                thought.Add(piece.Field("text"u8).RawText());
            }
        }

        json.WriteStartObject();
        foreach (var member in message.EnumerateObject().Where(member => !member.NameEquals("content"u8) && (thought.IsEmpty || !member.NameEquals("reasoning_content"u8))))
        {
            json.WriteCopy(member);
        }

        said.Write(json, "content"u8);
        if (!thought.IsEmpty)
        {
            thought.Write(json, "reasoning_content"u8);
        }

        json.WriteEndObject();
    }
}
