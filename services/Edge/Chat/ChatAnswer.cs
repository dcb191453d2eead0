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

    /// <summary>What the model thought.</summary>
    public static JsonElement Thoughts(JsonElement said) => ChatRequest.ThoughtsOf(said);

    /// <summary>Whether there is text in it, of the answer, a refusal or a thought.</summary>
    public static bool HasText(JsonElement said) =>
        said.Field("content"u8).RawText().Length + said.Field("refusal"u8).RawText().Length + Thoughts(said).RawText().Length > 0;

    /// <summary>Why an answer ended, in OpenAI's words; null where nobody says it.</summary>
    /// <param name="said">The reason that its server gave.</param>
    /// <param name="calls">Whether it calls tools: some servers say <c>stop</c> there, and a client that runs tools would stop.</param>
    public static string? FinishReason(string? said, bool calls) => said switch
    {
        null or "" or "stop" when calls => "tool_calls",
        _ => said,
    };
}
