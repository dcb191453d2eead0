using System.Globalization;
using Gateway.Contracts;
using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Admission;

/// <summary>Says that a rate limit refused: whose, what it counts, and the true wait; or that nobody can say.</summary>
internal static class RateRefusal
{
    public static GatewayError Of(RateGate gate, RateDecision decision, HttpResponse response)
    {
        if (decision.Unavailable)
        {
            return GatewayError.StoreUnavailable with { RetryAfter = decision.RetryAfter };
        }

        Show(gate, response);
        var what = gate.Definition.Kind switch
        {
            LimitKind.TokensPerMinute => "tokens per minute",
            LimitKind.ParallelRequests => "requests at once",
            _ => "requests per minute",
        };
        var scope = BudgetId.ScopeOf(gate.Definition.Owner);
        var limit = gate.Definition.Limit.ToString(CultureInfo.InvariantCulture);
        if (decision.Never)
        {
            return new GatewayError(
                429, "rate_limit_exceeded", $"The limit of this {scope} is {limit} {what}, and this request alone needs more. Send a smaller one.", scope);
        }

        var seconds = Math.Max(1, Math.Ceiling(decision.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return new GatewayError(
            429, "rate_limit_exceeded", $"The limit of this {scope} is {limit} {what}. Try again in {seconds} s.", scope, decision.RetryAfter);
    }

    /// <summary>Sets <c>x-ratelimit-*</c>.</summary>
    public static void Show(RateGate gate, HttpResponse response)
    {
        var name = gate.Definition.Kind switch
        {
            LimitKind.RequestsPerMinute => "requests",
            LimitKind.TokensPerMinute => "tokens",
            _ => null,
        };
        if (name is null)
        {
            return;
        }

        var view = gate.View();
        response.Headers[$"x-ratelimit-limit-{name}"] = view.Limit.ToString(CultureInfo.InvariantCulture);
        response.Headers[$"x-ratelimit-remaining-{name}"] = Math.Max(0, view.Remaining).ToString(CultureInfo.InvariantCulture);
        response.Headers[$"x-ratelimit-reset-{name}"] = $"{Math.Ceiling(view.ResetAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture)}s";
    }
}
