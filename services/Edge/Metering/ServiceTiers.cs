using System.Text.Json;
using Gateway.Pricing;

namespace Gateway.Edge.Metering;

/// <summary>
/// The service tier of a request and of its answer: OpenAI's <c>service_tier</c> (chat, and Responses, where it stands in the response) and Anthropic's
/// (in its usage). What was asked for bounds what it may cost; what the answer says is charged.
/// </summary>
internal static class ServiceTiers
{
    private static ReadOnlySpan<byte> Name => "\"service_tier\""u8;

    /// <summary>
    /// What a request asks for; the reader stands on its value. With <c>auto</c>, or a word that is new, the provider may choose any: the dearest,
    /// which is <see cref="ServiceTier.Priority"/>, counts.
    /// </summary>
    public static (ServiceTier Tier, bool Any) Asked(ref Utf8JsonReader value) => value.TokenType switch
    {
        JsonTokenType.Null => (ServiceTier.Standard, false),
        JsonTokenType.String when value.ValueTextEquals("flex"u8) => (ServiceTier.Flex, false),
        JsonTokenType.String when value.ValueTextEquals("priority"u8) => (ServiceTier.Priority, false),
        JsonTokenType.String when value.ValueTextEquals("default"u8) || value.ValueTextEquals("standard_only"u8) => (ServiceTier.Standard, false),
        _ => (ServiceTier.Priority, true),
    };

    /// <summary>What an answer says that it was served at; null for a word that is new, or none.</summary>
    public static ServiceTier? Served(ReadOnlySpan<byte> word) => word switch
    {
        _ when word.SequenceEqual("priority"u8) => ServiceTier.Priority,
        _ when word.SequenceEqual("flex"u8) => ServiceTier.Flex,
        _ when word.SequenceEqual("batch"u8) => ServiceTier.Batch,
        _ when word.SequenceEqual("default"u8) || word.SequenceEqual("standard"u8) || word.SequenceEqual("scale"u8) => ServiceTier.Standard,
        _ => null,
    };

    /// <summary>
    /// The same of a reply or a chunk of OpenAI's chat, from its end on, where it mostly stands. It is not parsed: nothing in it but texts is
    /// the model's or the caller's, and in those the quotation marks have a backslash before them.
    /// </summary>
    public static ServiceTier? In(ReadOnlySpan<byte> reply)
    {
        var at = reply.LastIndexOf(Name);
        if (at <= 0 || reply[at - 1] == (byte)'\\')
        {
            return null;
        }

        var rest = reply[(at + Name.Length)..].TrimStart(" \t\r\n:"u8);
        return rest is [(byte)'"', .. var word] && word.IndexOf((byte)'"') is > 0 and var end ? Served(word[..end]) : null;
    }
}
