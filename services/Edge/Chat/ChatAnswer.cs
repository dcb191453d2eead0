using System.Text.Json;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Chat;

/// <summary>What a message or a delta in OpenAI's words says, read in one way by every surface: servers that imitate it have words of their own.</summary>
internal static class ChatAnswer
{
    /// <summary>The answer or chunk, its content as a text.</summary>
    /// <param name="said">The answer or chunk.</param>
    /// <param name="losses">Takes the kinds of its parts that are neither text nor thought.</param>
    /// <exception cref="MalformedReplyException">It is no JSON object.</exception>
    public static JsonDocument Parse(ReadOnlySpan<byte> said, ReplyLosses losses) => JsonReading.ParseReply(ListedContent.Mend(said, losses) ?? said);

    /// <summary>Whether there is text in it, of the answer, a refusal or a thought.</summary>
    public static bool HasText(JsonElement said) =>
        said.Field("content"u8).RawText().Length + said.Field("refusal"u8).RawText().Length + ChatRequest.ThoughtsOf(said).RawText().Length > 0;

    /// <summary>Names what an answer or a piece of one has and a client's format has no place for: pictures, the pages that it cites.</summary>
    /// <param name="said">The answer.</param>
    /// <param name="surface">The client's format; null for chat, which has a place for both.</param>
    /// <param name="losses">Takes the names.</param>
    public static void NoteLosses(ReadOnlySpan<byte> said, IChatSurface? surface, ReplyLosses losses)
    {
        if (surface is { ShowsPictures: false } && ListMember.IsIn(said, "\"images\""u8, ofObjects: true))
        {
            losses.Add("images");
        }

        if (surface is { ShowsCitations: false } && ListMember.IsIn(said, "\"annotations\""u8, ofObjects: true))
        {
            losses.Add("annotations");
        }
    }

    /// <summary>Why the answer of a choice ended, in OpenAI's words; null where nobody says it.</summary>
    public static string? FinishReason(JsonElement choice, bool calls) => FinishReason(choice.Field("finish_reason"u8).Text(), calls);

    /// <summary>Why an answer ended, in OpenAI's words; null where nobody says it.</summary>
    /// <param name="said">The reason that its server gave.</param>
    /// <param name="calls">Whether it calls tools: some servers say <c>stop</c> there, and a client that runs tools would stop.</param>
    public static string? FinishReason(string? said, bool calls) => said switch
    {
        null or "" or "stop" when calls => "tool_calls",
        _ => said,
    };
}
