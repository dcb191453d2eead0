using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>Who speaks, on the surfaces that call them as OpenAI does.</summary>
internal static class ChatRole
{
    /// <summary>The role of a message.</summary>
    /// <exception cref="UntranslatableRequestException">It is none.</exception>
    public static string Of(JsonElement message) => message.Field("role"u8).Text() is ("system" or "user" or "assistant" or "tool") and var role
        ? role
        : throw new UntranslatableRequestException("A message's role must be system, user, assistant or tool.", "messages.role");
}
