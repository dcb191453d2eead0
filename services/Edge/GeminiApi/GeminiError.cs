using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// An error as Google's clients read it (https://cloud.google.com/apis/design/errors): status and its name; in the details the gateway's code,
/// and the wait where there is one.
/// </summary>
internal static class GeminiError
{
    public static void Write(GatewayError error, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteNumber("code"u8, error.Status);
        json.WriteString("message"u8, error.Message);
        json.WriteString("status"u8, StatusName(error.Status));
        json.WriteStartArray("details"u8);
        json.WriteStartObject();
        json.WriteString("@type"u8, "type.googleapis.com/google.rpc.ErrorInfo"u8);
        json.WriteString("reason"u8, error.Code.ToUpperInvariant());
        json.WriteString("domain"u8, "gateway"u8);
        json.WriteStartObject("metadata"u8);
        json.WriteString("code"u8, error.Code);
        if (error.Param is not null)
        {
            json.WriteString("param"u8, error.Param);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        if (error.RetryAfter is { } wait)
        {
            json.WriteStartObject();
            json.WriteString("@type"u8, "type.googleapis.com/google.rpc.RetryInfo"u8);
            json.WriteString("retryDelay"u8, string.Create(CultureInfo.InvariantCulture, $"{GatewayError.WholeSeconds(wait)}s"));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string StatusName(int status) => status switch
    {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        502 or 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        >= 500 => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
}
