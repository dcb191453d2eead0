using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.ServiceDefaults;

namespace Gateway.Edge;

/// <summary>An error as a value: decided where it is known, written where the answer is.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The code of docs/errors.md.</param>
/// <param name="Message">For the caller.</param>
/// <param name="Param">The field.</param>
/// <param name="RetryAfter">When to come again; null when that would not help.</param>
internal sealed record GatewayError(int Status, string Code, string Message, string? Param = null, TimeSpan? RetryAfter = null)
{
    public static readonly GatewayError MissingKey = new(401, "missing_api_key", "No API key was sent. Send it as Authorization: Bearer <key>.");
    public static readonly GatewayError InvalidKey = new(401, "invalid_api_key", "The API key is not known. Check it, or ask your platform's administrators for one.");
    public static readonly GatewayError ExpiredKey = new(401, "api_key_expired", "The API key has expired. Ask your platform's administrators for a new one.");
    public static readonly GatewayError BlockedKey = new(401, "api_key_blocked", "The API key is blocked. Ask your platform's administrators why.");
    public static readonly GatewayError InvalidJson = new(400, "invalid_json", "The request's body is not a JSON object.");
    public static readonly GatewayError AuthUnavailable = new(503, "temporarily_unavailable", "The gateway cannot check this key at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(1));
    public static readonly GatewayError SpoolFull = new(503, "temporarily_unavailable", "The gateway cannot record usage at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(5));
    public static readonly GatewayError StoreUnavailable = new(503, "temporarily_unavailable", "The gateway cannot check this key's budget at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(1));

    public static readonly GatewayError NoCredential = new(502, "provider_auth_failed", "The gateway has no credential for the provider. Your platform's administrators can see why.");

    public static GatewayError TooLarge(long bytesMax) => new(413, "request_too_large", $"The request's body is larger than {bytesMax} bytes.");

    private byte[]? json;

    // What is made from another one has a text of its own.
    private GatewayError(GatewayError other)
    {
        (Status, Code, Message, Param, RetryAfter) = other;
    }

    public static GatewayError OfKey(string code) => code == "api_key_blocked" ? BlockedKey : ExpiredKey;

    /// <summary>The provider's own words, to a client of the same protocol; null when the gateway speaks.</summary>
    public byte[]? ProvidersBody { get; init; }

    /// <summary>The error with the gateway's id where a provider's stands in its words.</summary>
    public GatewayError Naming(string providersId, string id) => this with
    {
        Message = Message.Replace(providersId, id, StringComparison.Ordinal),
        ProvidersBody = ProvidersBody is { } body ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace(providersId, id, StringComparison.Ordinal)) : null,
    };

    /// <summary>Writes the error as the whole answer, in OpenAI's envelope or the surface's.</summary>
    /// <param name="context">The request.</param>
    /// <param name="surface">How its client speaks; null for OpenAI's envelope.</param>
    /// <param name="withMessageAtTop">Whether the message stands before the envelope too, where Cohere's clients look for it.</param>
    public async Task WriteAsync(HttpContext context, Chat.IChatSurface? surface = null, bool withMessageAtTop = false)
    {
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json";
        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = WholeSeconds(wait).ToString(CultureInfo.InvariantCulture);
        }

        var body = ProvidersBody ?? (surface is not null ? ToJson(surface) : withMessageAtTop ? ToJsonWithMessage() : ToJson());
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body);
    }

    /// <summary>A wait in whole seconds, rounded up: whoever comes at that time is let in.</summary>
    public static long WholeSeconds(TimeSpan wait) => Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));

    /// <summary>The error's JSON. Made once: the errors that everybody gets are the same object each time.</summary>
    public byte[] ToJson() => json ??= JsonSerializer.SerializeToUtf8Bytes(Problems.Envelope(Status, Code, Message, Param), EdgeJson.Writing.ErrorEnvelope);

    /// <summary>The error's JSON with its message at the top, where Cohere's clients look for it, and before the envelope.</summary>
    public byte[] ToJsonWithMessage() => [.. "{\"message\":"u8, .. JsonSerializer.SerializeToUtf8Bytes(Message, EdgeJson.Writing.String), (byte)',', .. ToJson().AsSpan(1)];

    private byte[] ToJson(Chat.IChatSurface surface)
    {
        var body = new ArrayBufferWriter<byte>(256);
        surface.WriteError(this, body);
        return body.WrittenSpan.ToArray();
    }

    /// <summary>The error as a frame of a stream that has begun. No <c>[DONE]</c> follows it.</summary>
    public void WriteFrame(IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        output.Write(ToJson());
        output.Write("\n\n"u8);
    }
}
