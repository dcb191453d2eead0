using System.Text.Json;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>Reads an error in OpenAI's envelope and in those of the servers that imitate it.</summary>
internal static class OpenAiError
{
    /// <summary>What a reply with an error status says.</summary>
    public static ProviderError Read(int status, ReadOnlySpan<byte> body)
    {
        ErrorText.TryRead(body, out var text);
        return From(status, text);
    }

    /// <summary>An error in mid-stream: there the status was 200 and only the words tell what it means.</summary>
    public static ProviderError FromFrame(ReadOnlySpan<byte> data)
    {
        ErrorText.TryRead(data, out var text);
        return From(text.Status ?? 500, text);
    }

    private static ProviderError From(int status, ErrorText text)
    {
        var kind = KindOf(status, text);
        return new ProviderError(kind, text.MessageOr(status), text.Code ?? text.Type, text.Param);
    }

    private static ProviderErrorKind KindOf(int status, ErrorText text)
    {
        if (status is 429 or 529 or 498)
        {
            return ProviderErrorKind.RateLimited;
        }

        switch (text.Code)
        {
            case "context_length_exceeded" or "string_above_max_length" or "exceed_context_size_error" or "context_window_exceeded":
                return ProviderErrorKind.ContextWindow;
            case "content_filter" or "content_policy_violation" or "ResponsibleAIPolicyViolation" or "moderation_blocked" or "data_inspection_failed":
                return ProviderErrorKind.ContentPolicy;
            case "insufficient_quota" or "rate_limit_exceeded" or "insufficient_balance" or "rate_limit_error":
                return ProviderErrorKind.RateLimited;
            case "invalid_api_key" or "invalid_authentication":
                return ProviderErrorKind.Authentication;
        }

        switch (text.Type)
        {
            case "insufficient_quota" or "rate_limit_error" or "tokens" or "requests" or "overloaded_error":
                return ProviderErrorKind.RateLimited;
            case "invalid_request_error" when status == 500:
                // Only in a stream: there the status says nothing.
                return ByWords(text.Message, ProviderErrorKind.BadRequest);
        }

        return status switch
        {
            400 or 404 or 413 or 422 => ByWords(text.Message, ProviderErrorKind.BadRequest),
            401 or 403 => ByWords(text.Message, ProviderErrorKind.Authentication),

            // Our account at the provider has no money left: another target may have.
            402 => ProviderErrorKind.RateLimited,
            408 or 409 => ProviderErrorKind.Failed,
            503 when ErrorText.SaysOverloaded(text.Message) => ProviderErrorKind.RateLimited,
            >= 400 and < 500 => ProviderErrorKind.BadRequest,
            _ => ProviderErrorKind.Failed,
        };
    }

    private static ProviderErrorKind ByWords(string? message, ProviderErrorKind otherwise) =>
        ErrorText.SaysContextWindow(message) ? ProviderErrorKind.ContextWindow
        : ErrorText.SaysContentPolicy(message) ? ProviderErrorKind.ContentPolicy
        : otherwise;
}
