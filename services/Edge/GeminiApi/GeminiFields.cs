using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// The names of Gemini's fields, each of which Google reads in two spellings: <c>maxOutputTokens</c> and <c>max_output_tokens</c>
/// (https://protobuf.dev/programming-guides/json).
/// </summary>
internal static class GeminiFields
{
    private static readonly ConcurrentDictionary<string, (byte[] Camel, byte[] Snake)> Spellings = new(StringComparer.Ordinal);

    /// <summary>What a field means to the gateway: the bound on the output stands in an object of its own, and what else OpenAI's names would say means nothing here.</summary>
    /// <param name="name">The field's name.</param>
    /// <param name="general">What it means on the other surfaces.</param>
    public static RequestField Of(ref Utf8JsonReader name, RequestField general) =>
        Is(ref name, "generationConfig"u8, "generation_config"u8) ? RequestField.Generation
        : general is RequestField.Model or RequestField.User or RequestField.Metadata or RequestField.DisableFallbacks or RequestField.Danger ? general
        : RequestField.Other;

    /// <summary>The field by its name in camel case, in whichever spelling it stands there; undefined when it does not.</summary>
    public static JsonElement Named(this JsonElement element, string name)
    {
        var (camel, snake) = Spellings.GetOrAdd(name, static name => (Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(Snake(name))));
        return element.Field(camel) is { ValueKind: not JsonValueKind.Undefined } found ? found : element.Field(snake);
    }

    /// <summary>A name in camel case, as the rest of the code knows it.</summary>
    public static string Camel(string name)
    {
        var text = new StringBuilder(name.Length);
        for (var at = 0; at < name.Length; at++)
        {
            // A leading underscore is part of the name.
            text.Append(name[at] == '_' && at > 0 && at + 1 < name.Length ? char.ToUpperInvariant(name[++at]) : name[at]);
        }

        return text.ToString();
    }

    /// <summary>A set of names in both spellings.</summary>
    public static HashSet<string> Both(params ReadOnlySpan<string> names)
    {
        var both = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            both.Add(name);
            both.Add(Snake(name));
        }

        return both;
    }

    /// <summary>
    /// Reads the bound on the output and the number of answers. Said twice, a provider could obey the one and the gateway the other: that is
    /// refused. 0 is the protocol's word for nothing said.
    /// </summary>
    public static GatewayError? ReadGeneration(ref Utf8JsonReader json, ref RequestHead head)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return json.TokenType == JsonTokenType.Null ? null : Wrong("generationConfig", "an object");
        }

        var (hasMost, hasChoices) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isMost = Is(ref json, "maxOutputTokens"u8, "max_output_tokens"u8);
            var isChoices = Is(ref json, "candidateCount"u8, "candidate_count"u8);
            json.Read();
            if (isMost ? hasMost : isChoices && hasChoices)
            {
                return SaidTwice(isMost ? "generationConfig.maxOutputTokens" : "generationConfig.candidateCount");
            }

            hasMost |= isMost;
            hasChoices |= isChoices;
            if (isMost)
            {
                if (!TryWhole(ref json, out var most) || most < 0)
                {
                    return Wrong("generationConfig.maxOutputTokens", "a whole number, 0 or more");
                }

                head.MaxTokens = most == 0 ? null : most;
            }

            if (isChoices)
            {
                if (!TryWhole(ref json, out var choices) || choices is < 0 or > 128)
                {
                    return Wrong("generationConfig.candidateCount", "a whole number from 1 to 128");
                }

                head.Choices = Math.Max(1, (int)choices);
            }

            json.Skip();
        }

        return null;
    }

    /// <summary>The error of a field that stands twice, in two spellings or in one.</summary>
    public static GatewayError SaidTwice(string name) => new(400, "invalid_request", $"The field {name} stands twice in the request: say it once, in one spelling.", name);

    private static GatewayError Wrong(string field, string expected) => new(400, "invalid_request", $"The field {field} must be {expected}.", field);

    /// <summary>A whole number as Google reads one: as a text, too, or with a fraction of nothing.</summary>
    private static bool TryWhole(ref Utf8JsonReader json, out long number)
    {
        number = 0;
        switch (json.TokenType)
        {
            case JsonTokenType.Null:
                return true;
            case JsonTokenType.String:
                return long.TryParse(json.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
            case JsonTokenType.Number when json.TryGetInt64(out number):
                return true;
            case JsonTokenType.Number when json.TryGetDouble(out var fraction) && fraction == Math.Truncate(fraction) && Math.Abs(fraction) < int.MaxValue:
                number = (long)fraction;
                return true;
            default:
                return false;
        }
    }

    private static bool Is(ref Utf8JsonReader name, ReadOnlySpan<byte> camel, ReadOnlySpan<byte> snake) => name.ValueTextEquals(camel) || name.ValueTextEquals(snake);

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
