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
            return GatewayError.StoreUnavailable.After(decision.RetryAfter);
        }

        Show(gate, response);
        var seconds = decision.Never ? 0 : GatewayError.WholeSeconds(decision.RetryAfter);
        var definition = gate.Definition;
        if (gate.Said is not { } said || said.Seconds != seconds || said.Definition != definition)
        {
            // Many are refused in one second, and all are told the same.
            gate.Said = said = new(definition, seconds, Of(definition, seconds));
        }

        return said.Error.After(decision.Never ? null : decision.RetryAfter);
    }

    /// <param name="definition">The limit.</param>
    /// <param name="seconds">The wait; 0 where none helps.</param>
    private static GatewayError Of(LimitDefinition definition, long seconds)
    {
        var what = definition.Kind switch
        {
            LimitKind.TokensPerMinute => "tokens per minute",
            LimitKind.ParallelRequests => "requests at once",
            _ => "requests per minute",
        };
        var scope = BudgetId.ScopeOf(definition.Owner);
        var rest = seconds == 0 ? ", and this request alone needs more. Send a smaller one." : string.Create(CultureInfo.InvariantCulture, $". Try again in {seconds} s.");
        return new GatewayError(
            429, "rate_limit_exceeded", string.Create(CultureInfo.InvariantCulture, $"The limit of this {scope} is {definition.Limit} {what}{rest}"), scope);
    }

    /// <summary>Sets <c>x-ratelimit-*</c>.</summary>
    public static void Show(RateGate gate, HttpResponse response)
    {
        if (gate.Definition.Kind == LimitKind.ParallelRequests)
        {
            return;
        }

        var (limit, remaining, reset) = gate.Definition.Kind == LimitKind.TokensPerMinute
            ? ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")
            : ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests");
        var view = gate.View();
        response.Headers[limit] = view.Limit.ToString(CultureInfo.InvariantCulture);
        response.Headers[remaining] = Math.Max(0, view.Remaining).ToString(CultureInfo.InvariantCulture);
        response.Headers[reset] = $"{Math.Ceiling(view.ResetAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture)}s";
    }
}
