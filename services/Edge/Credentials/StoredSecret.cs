using System.Text;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Credentials;

/// <summary>One secret that is kept elsewhere: its value as it was last read.</summary>
internal sealed class StoredSecret(SecretLocation location)
{
    private string? value;

    public SecretLocation Location { get; } = location;

    /// <summary>The value; null when it is too old to be used.</summary>
    public string? Value
    {
        get => Volatile.Read(ref value);
        set => Volatile.Write(ref this.value, value);
    }

    /// <summary>When it was last read.</summary>
    public DateTimeOffset ReadAt { get; set; }

    /// <summary>Whether the last look failed.</summary>
    public bool Failing { get; set; }

    /// <summary>The secret in what a store gave.</summary>
    /// <param name="document">The secret itself, or a JSON object.</param>
    /// <param name="field">The field of the object; null for the whole.</param>
    /// <exception cref="SecretUnavailableException">There is none.</exception>
    public static string In(byte[] document, string? field)
    {
        var text = field is null ? Encoding.UTF8.GetString(document).Trim('\uFEFF', ' ', '\t', '\r', '\n') : FieldOf(document, field);
        return text.Length > 0 ? text : throw new SecretUnavailableException("it is empty.");
    }

    private static string FieldOf(byte[] document, string field)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            // A service account may stand there as an object.
            return json.RootElement.Field(Encoding.UTF8.GetBytes(field)) switch
            {
                { ValueKind: JsonValueKind.String } found => found.Text()?.Trim() ?? "",
                { ValueKind: JsonValueKind.Object } found => found.GetRawText(),
                _ => throw new SecretUnavailableException($"it has no field '{field}' with a text. Name the field behind a '#'."),
            };
        }
        catch (JsonException)
        {
            // The parser's message would quote it.
            throw new SecretUnavailableException("it is no JSON object. Leave '#field' out when the whole is the secret.");
        }
    }
}
