using Gateway.Configuration;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Routing;

/// <summary>How often a group is tried again: in general, and after errors of one kind (<c>retry_policy</c>).</summary>
/// <param name="General">Tries after the first.</param>
/// <param name="Policy">Other numbers by kind of error.</param>
internal sealed record RetryRule(int General, RetryPolicy Policy)
{
    /// <summary>Tries after the first, when the last one ended so. A request's own fault is tried again only where the policy says so.</summary>
    public int After(AttemptResult result) => ByKind(result) ?? (result.MayRetry ? General : 0);

    private int? ByKind(AttemptResult result) => result.Outcome switch
    {
        AttemptOutcome.ContentPolicy => Policy.ContentPolicyViolation,
        AttemptOutcome.CallersFault or AttemptOutcome.ContextWindow => Policy.BadRequest,
        AttemptOutcome.Failed => result.Error?.Code switch
        {
            "provider_auth_failed" => Policy.Authentication,
            "provider_timeout" => Policy.Timeout,
            "provider_rate_limited" => Policy.RateLimit,
            _ => Policy.InternalServerError,
        },
        _ => null,
    };
}
