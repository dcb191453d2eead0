using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers;

/// <summary>The words of a provider's error, found in whatever envelope it came, and made fit for a caller.</summary>
internal readonly partial record struct ErrorText(string? Message, string? Type, string? Code, string? Param, int? Status)
{
    private const int MessageCharactersMax = 1000;
    private const int BodyBytesMax = 64 * 1024;

    // What a request can name that its provider has not. Taken for a missing route, one caller's wrong id would cost all others the route.
    private static readonly SearchValues<string> NamedInRequests = SearchValues.Create(
        ["model", "response", "item", "file", "vector", "container", "prompt", "conversation"], StringComparison.OrdinalIgnoreCase);

    /// <summary>The message, or a sentence of ours when the provider said nothing that can be shown.</summary>
    public string MessageOr(int status) => string.IsNullOrWhiteSpace(Message)
        ? $"The provider answered with status {status} and no message."
        : Message;

    /// <summary>
    /// Reads <c>{"error":{…}}</c>, <c>{"error":"…"}</c>, <c>{"message":…}</c>, <c>{"detail":…}</c>, each also in an array. False when the body
    /// is something else, such as a proxy's HTML: that is never shown.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out ErrorText text)
    {
        text = default;
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!JsonDocument.TryParseValue(ref reader, out var document))
            {
                return false;
            }

            using (document)
            {
                return TryRead(document.RootElement, out text);
            }
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether the words mean that the prompt is too long for the model.</summary>
    public static bool SaysContextWindow(string? message) => message is not null && ContextWindowWords().IsMatch(message);

    /// <summary>Whether the words mean that a content policy refused.</summary>
    public static bool SaysContentPolicy(string? message) => message is not null && ContentPolicyWords().IsMatch(message);

    /// <summary>Whether the words mean that the provider has too much to do.</summary>
    public static bool SaysOverloaded(string? message) =>
        message is not null && (message.Contains("overloaded", StringComparison.OrdinalIgnoreCase) ||
            message.Contains("at capacity", StringComparison.OrdinalIgnoreCase) || message.Contains("rate limit", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the words mean that the address is not there, and not that something named in the request is not.</summary>
    /// <remarks>Some say which address: that of the responses names no response.</remarks>
    public static bool SaysNoSuchRoute(string message) => !message.Replace("/responses", "", StringComparison.Ordinal).AsSpan().ContainsAny(NamedInRequests);

    /// <summary>Whether an error's body may be shown as it is: JSON with nothing in it that a caller must not see.</summary>
    public static bool IsFit(ReadOnlySpan<byte> body) => TryRead(body, out _) && IsFitJson(body);

    /// <summary>Whether a short JSON object has nothing in it that a caller must not see.</summary>
    public static bool IsFitJson(ReadOnlySpan<byte> body)
    {
        if (body.Length is 0 or > BodyBytesMax || body.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..])
        {
            return false;
        }

        var text = Encoding.UTF8.GetString(body);
        return !Keys().IsMatch(text) && !Accounts().IsMatch(text) && !InternalAddresses().IsMatch(text);
    }

    /// <summary>Takes out what a caller must not see: keys, our account's ids, internal addresses.</summary>
    public static string Clean(string message)
    {
        if (message.Length > MessageCharactersMax)
        {
            message = message[..MessageCharactersMax] + "…";
        }

        message = Keys().Replace(message, "[key]");
        message = Accounts().Replace(message, "[account]");
        return InternalAddresses().Replace(message, "[address]");
    }

    private static bool TryRead(JsonElement root, out ErrorText text)
    {
        text = default;
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0)
        {
            root = root[0];
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        var error = root.Field("error"u8) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } own ? own
            : root.Field("errors"u8) is { ValueKind: JsonValueKind.Array } several && several.GetArrayLength() > 0 ? several[0]
            : root;
        if (error.ValueKind == JsonValueKind.String)
        {
            // Some wrap the provider's JSON as a string.
            var words = error.Text();
            text = new ErrorText(Shown(words), root.Field("type"u8).Text(), root.Field("code"u8).Scalar(), null, root.Field("status"u8).Int());
            return true;
        }

        if (error.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        var message = error.Field("message"u8).Text() ?? error.Field("Message"u8).Text() ?? error.Field("detail"u8).Text() ??
            error.Field("msg"u8).Text() ?? FirstDetail(error.Field("detail"u8)) ?? root.Field("message"u8).Text();
        var inner = error.Field("innererror"u8).Field("code"u8).Text();
        var code = error.Field("code"u8);
        text = new ErrorText(
            Shown(message),
            error.Field("type"u8).Text() ?? error.Field("status"u8).Text() ?? error.Field("__type"u8).Text(),
            inner is "ResponsibleAIPolicyViolation" ? inner : code.Scalar(),
            error.Field("param"u8).Scalar(),
            error.Field("status"u8).Int() ?? error.Field("status_code"u8).Int() ?? code.Int());
        return message is not null || text.Type is not null || text.Code is not null;
    }

    /// <summary>FastAPI's list of validation errors.</summary>
    private static string? FirstDetail(JsonElement detail) =>
        detail.ValueKind == JsonValueKind.Array && detail.GetArrayLength() > 0
            ? detail[0].Field("msg"u8).Text() ?? detail[0].Text()
            : detail.Field("message"u8).Text();

    private static string? Shown(string? message) => message is null ? null : Clean(message);

    // All of these read a message of bounded length, and none nests a repetition: they need no timeout, which a busy machine would hit.
    [GeneratedRegex(
        @"context.{0,12}(length|window|size)|(prompt|input|request|message).{0,40} too (long|large)|too many (input |total )?tokens|maximum (prompt|input) length|" +
        @"reduce the length|(input|prompt) token count.{0,40}exceeds|exceeds? the (maximum|model's maximum|max) (number of|allowed|context|input|prompt)? ?tokens|" +
        @"inputs` tokens \+ `max_new_tokens|longer than the maximum model length",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContextWindowWords();

    [GeneratedRegex(
        @"content (management )?polic|content.filter|safety (system|filter|polic)|responsible ai|inappropriate content|moderation|prohibited content|guardrail",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContentPolicyWords();

    [GeneratedRegex(
        @"\b(sk|pk|rk|gsk|xai|nvapi|hf|pplx|fw|csk|key|AIza|AKIA|ASIA|r8|tgp)[-_]?[A-Za-z0-9*_\-.]{11,}[A-Za-z0-9*_\-]|Bearer\s+[^\s""']+|(?<=[?&](key|api_key|token|access_token)=)[^&\s""']+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Keys();

    [GeneratedRegex(@"\b(org|proj|acct|user)-[A-Za-z0-9]{8,}|arn:aws[^\s""']+", RegexOptions.CultureInvariant)]
    private static partial Regex Accounts();

    [GeneratedRegex(
        @"(https?://)?(\b(localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+|169\.254\.\d+\.\d+)\b|\[::1\]|\b[\w\-\.]+\.(internal|local|svc|cluster\.local|lan|intra)\b)(:\d+)?(/[^\s""']*)?",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex InternalAddresses();
}
