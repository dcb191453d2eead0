using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers;

/// <summary>
/// Reads JSON that others wrote: what is missing or of another kind than expected reads as absent and never throws. A field that a provider
/// sends in a new form then costs that field, not the reply.
/// </summary>
internal static class JsonReading
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = Completion.Writing.Encoder };

    /// <summary>Parses a provider's reply or event, which must be an object.</summary>
    /// <exception cref="MalformedReplyException">It is not.</exception>
    public static JsonDocument ParseReply(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (JsonException)
        {
            // Its message would quote the reply.
        }

        throw new MalformedReplyException("The provider's reply is not a JSON object.");
    }

    /// <summary>Whether an exception comes of JSON that is broken, or of a value of another kind than its name says.</summary>
    public static bool IsOfBrokenJson(Exception odd) => odd is JsonException or InvalidOperationException or ArgumentException or FormatException or OverflowException;

    /// <summary>An answer that was put together of a provider's pieces, as JSON.</summary>
    /// <exception cref="MalformedReplyException">What could be read cannot be said: a member that stands twice, half a surrogate pair.</exception>
    public static byte[] Assembled(Func<JsonNode> answer)
    {
        try
        {
            return Encoding.UTF8.GetBytes(answer().ToJsonString(Relaxed));
        }
        catch (Exception odd) when (IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("The stream's pieces make no answer.");
        }
    }

    /// <summary>Copies what is to be put together with other pieces.</summary>
    /// <exception cref="MalformedReplyException">Its text is broken: it could be passed on, and not be read.</exception>
    public static JsonElement CloneOfText(this JsonElement element) =>
        System.Text.Unicode.Utf8.IsValid(element.Raw()) ? element.Clone() : throw new MalformedReplyException("The stream is no UTF-8.");

    /// <summary>The field; undefined when this is no object or has none.</summary>
    public static JsonElement Field(this JsonElement element, ReadOnlySpan<byte> name)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;
        }
        catch (InvalidOperationException)
        {
            // Another field's name is broken (half a surrogate pair), and the search stops there.
            return default;
        }
    }

    /// <summary>
    /// Whether a member's name can be compared with one that is looked for: half a surrogate pair raises, and such JSON can be passed on. A name with
    /// such an escape is none of those that are looked for.
    /// </summary>
    public static bool CanBeCompared(this ref Utf8JsonReader name) => !name.ValueIsEscaped || (name.ValueSpan.IndexOf("\\ud"u8) < 0 && name.ValueSpan.IndexOf("\\uD"u8) < 0);

    /// <summary>Whether a member has one of these names; none is made a string for it.</summary>
    public static bool IsOneOf(this JsonProperty field, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (field.NameEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether there is a value: neither absent nor null.</summary>
    public static bool Given(this JsonElement element) => element.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>A string's text; null when it is none, or is broken (half a surrogate pair).</summary>
    public static string? Text(this JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A string's or a number's text.</summary>
    public static string? Scalar(this JsonElement element) => element.ValueKind == JsonValueKind.Number ? element.GetRawText() : element.Text();

    /// <summary>Whether this is that string.</summary>
    public static bool Is(this JsonElement element, ReadOnlySpan<byte> text)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String && element.ValueEquals(text);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A whole number, also when it is written with a fraction.</summary>
    public static int? Int(this JsonElement element) =>
        element.ValueKind != JsonValueKind.Number ? null
        : element.TryGetInt32(out var number) ? number
        : element.TryGetDouble(out var fraction) && Math.Abs(fraction) < int.MaxValue ? (int)fraction
        : null;

    /// <summary>A count of tokens: 0 when absent, never negative; a string of a number counts.</summary>
    public static long Count(this JsonElement element)
    {
        double number = element.ValueKind switch
        {
            JsonValueKind.Number when element.TryGetDouble(out var given) => given,
            JsonValueKind.String when double.TryParse(element.Text(), NumberStyles.Float, CultureInfo.InvariantCulture, out var given) => given,
            _ => 0,
        };
        return double.IsNaN(number) ? 0 : (long)Math.Clamp(number, 0, 1e12);
    }

    /// <summary>The elements of an array; none when this is no array.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : default;

    /// <summary>The fields of an object; none when this is no object.</summary>
    public static JsonElement.ObjectEnumerator Fields(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : default;

    /// <summary>The bytes as they came, quotes and escapes included: copied, a text cannot change. Empty when there is no value.</summary>
    public static ReadOnlySpan<byte> Raw(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Undefined ? default : JsonMarshal.GetRawUtf8Value(element);

    /// <summary>A string's bytes as they came, without its quotes; empty when this is no string.</summary>
    public static ReadOnlySpan<byte> RawText(this JsonElement element) => element.ValueKind == JsonValueKind.String ? element.Raw()[1..^1] : default;

    /// <summary>Writes those fields of an object that have one of these names and a value.</summary>
    public static void WriteFieldsOf(this Utf8JsonWriter writer, JsonElement element, IReadOnlyCollection<string> names)
    {
        foreach (var field in element.Fields())
        {
            if (names.Contains(field.Name) && field.Value.Given())
            {
                writer.WriteCopy(field);
            }
        }
    }

    /// <summary>Writes a field of an object under another name, with the bytes as they came; nothing when it is not given.</summary>
    public static void WriteFieldAs(this Utf8JsonWriter writer, JsonElement element, string from, string to)
    {
        if (element.TryGetProperty(from, out var value) && value.Given())
        {
            writer.WritePropertyName(to);
            writer.WriteCopy(value);
        }
    }

    /// <summary>Writes a field with the bytes as they came.</summary>
    public static void WriteCopy(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement value)
    {
        writer.WritePropertyName(name);
        writer.WriteCopy(value);
    }

    /// <summary>Writes a field of another object with the bytes of its value as they came.</summary>
    public static void WriteCopy(this Utf8JsonWriter writer, JsonProperty field)
    {
        writer.WritePropertyName(field.Name);
        writer.WriteCopy(field.Value);
    }

    /// <summary>Writes a field whose value is JSON already.</summary>
    public static void WriteRawValueMember(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(json, skipInputValidation: true);
    }

    /// <summary>Writes a value with the bytes as they came.</summary>
    public static void WriteCopy(this Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(value.Raw(), skipInputValidation: true);
}
