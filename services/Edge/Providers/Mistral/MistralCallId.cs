using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge.Providers.Mistral;

/// <summary>The ids of tool calls as Mistral takes them: nine letters and digits, and a call of another provider has another id.</summary>
internal static class MistralCallId
{
    private const int Length = 9;
    private const string Signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>The id; one that Mistral would refuse becomes another, always the same.</summary>
    public static string Of(string id)
    {
        if (id.Length == Length && id.All(char.IsAsciiLetterOrDigit))
        {
            return id;
        }

        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(id));
        return string.Create(Length, hash, static (made, hash) =>
        {
            for (var i = 0; i < made.Length; i++)
            {
                made[i] = Signs[hash[i] % Signs.Length];
            }
        });
    }
}
