using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers;

/// <summary>A caller's name for its own user (<c>user</c>, <c>metadata.user_id</c>), as providers take it: it helps them to find abuse, and changes no answer.</summary>
internal static partial class EndUser
{
    /// <summary>OpenAI refuses more characters (<c>string_above_max_length</c>); of the servers that imitate it some take twice as many.</summary>
    public const int OpenAiLengthMax = 64;

    /// <summary>Anthropic's <c>metadata.user_id</c> has at most so many characters.</summary>
    public const int AnthropicLengthMax = 256;

    /// <summary>Writes the name; one that is too long as its hash, which is the same for the same user, and named.</summary>
    /// <param name="writer">Takes the member.</param>
    /// <param name="member">The member's name.</param>
    /// <param name="user">A string.</param>
    /// <param name="lengthMax">How many characters the provider takes; at least 64, which is what a hash has.</param>
    /// <param name="name">The field's name as the caller knows it.</param>
    /// <param name="dropped">Takes it when the name is not said as it is.</param>
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> member, JsonElement user, int lengthMax, string name, DroppedFields dropped)
    {
        if (user.Text() is { } text && text.Length > lengthMax)
        {
            dropped.AddAdvice(name);
            writer.WriteString(member, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        }
        else
        {
            writer.WriteCopy(member, user);
        }
    }

    /// <summary>Whether the name looks like an e-mail address or a telephone number, which Anthropic refuses.</summary>
    public static bool TellsWho(JsonElement user) => user.Text() is { } text && (MailAddress().IsMatch(text) || PhoneNumber().IsMatch(text));

    [GeneratedRegex(@"[^\s@]@[^\s@]+\.[^\s@.]{2}", RegexOptions.CultureInvariant)]
    private static partial Regex MailAddress();

    // Digits alone are more often an account's number.
    [GeneratedRegex(@"^\+[\d\s().-]{7,}$|^(?=.*[\s().-])[\d\s().-]{7,}$", RegexOptions.CultureInvariant)]
    private static partial Regex PhoneNumber();
}
