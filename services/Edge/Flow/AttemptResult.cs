using Gateway.Edge.Providers;

namespace Gateway.Edge.Flow;

/// <summary>How one call to one provider ended, as far as routing is concerned.</summary>
internal enum AttemptOutcome
{
    /// <summary>The client has its answer, or as much of it as there was: nothing more is tried.</summary>
    Answered,

    /// <summary>The request is at fault.</summary>
    CallersFault,

    /// <summary>The prompt is too long for this model.</summary>
    ContextWindow,

    /// <summary>The provider's content policy refused.</summary>
    ContentPolicy,

    /// <summary>The provider failed.</summary>
    Failed,

    /// <summary>The credential was refused and is another one by now: the same target is called once more.</summary>
    CredentialRenewed,

    /// <summary>The server does not have the route of the client's own protocol.</summary>
    NoSuchRoute,
}

/// <summary>The result of one call to one provider.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="MayRetry">Whether another target of the group may do better.</param>
/// <param name="Error">What to tell the caller when nothing does.</param>
internal readonly record struct AttemptResult(AttemptOutcome Outcome, bool MayRetry = false, GatewayError? Error = null)
{
    /// <summary>Whether what the provider said is about the request, and so for its caller.</summary>
    public bool IsCallersFault => Outcome is AttemptOutcome.CallersFault or AttemptOutcome.ContextWindow or AttemptOutcome.ContentPolicy;

    public static readonly AttemptResult Answered = new(AttemptOutcome.Answered);

    /// <summary>A provider's error as a result: told with the provider's own message when the request is at fault.</summary>
    public static AttemptResult Of(ProviderError error, int status, TimeSpan? retryAfter) => error.Kind switch
    {
        ProviderErrorKind.BadRequest => new(AttemptOutcome.CallersFault, false, Told(status is >= 400 and < 500 ? status : 400, "provider_bad_request", error)),
        ProviderErrorKind.ContextWindow => new(AttemptOutcome.ContextWindow, false, Told(400, "provider_context_length_exceeded", error)),
        ProviderErrorKind.ContentPolicy => new(AttemptOutcome.ContentPolicy, false, Told(400, "provider_content_policy", error)),
        ProviderErrorKind.Authentication => new(
            AttemptOutcome.Failed, true, new GatewayError(502, "provider_auth_failed", "The provider refused the gateway's credential. Your platform's administrators can see why.")),
        ProviderErrorKind.RateLimited => new(
            AttemptOutcome.Failed, true, new GatewayError(429, "provider_rate_limited", "The provider takes no more requests at the moment.", RetryAfter: retryAfter ?? TimeSpan.FromSeconds(1))),
        _ => new(AttemptOutcome.Failed, true, new GatewayError(502, "provider_error", "The provider failed to answer this request.")),
    };

    /// <summary>An error in the middle of a stream: its kind's code, with the provider's own words but for those about the gateway's credential.</summary>
    public static GatewayError InStream(ProviderError error)
    {
        var told = Of(error, 400, retryAfter: null).Error!;
        return error.Kind == ProviderErrorKind.Authentication ? told : told with { Message = error.Message };
    }

    private static GatewayError Told(int status, string code, ProviderError error) => new(status, code, error.Message, error.Param);
}
