using System.Globalization;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Flow;

/// <summary>The headers of an answer, the gateway's and those that LiteLLM's users know.</summary>
internal static class ReplyHeaders
{
    /// <summary>Nothing is dropped silently: names the fields that a provider could not be told.</summary>
    public static void Dropped(RequestExchange exchange, IReadOnlyList<string> fields)
    {
        // Also where nothing is: a target that was tried before may have left something there.
        exchange.Context.Response.Headers["x-gateway-dropped-params"] =
            fields.Count > 0 ? string.Join(',', fields.Take(DroppedFields.NamesMax).Select(ReplyLosses.Printable)) : default;
    }

    public static void Set(RequestExchange exchange, HttpResponse response)
    {
        var headers = response.Headers;
        var id = exchange.Id.ToString();
        headers["x-gateway-request-id"] = id;
        headers["x-litellm-call-id"] = id;
        headers["x-litellm-model-id"] = exchange.Target!.Id;
        if (exchange.FailedAttempts is { } failed)
        {
            headers["x-litellm-attempted-retries"] = failed.Count.ToString(CultureInfo.InvariantCulture);
            headers["x-litellm-attempted-fallbacks"] = exchange.Fallbacks.ToString(CultureInfo.InvariantCulture);
        }

        if (exchange.Losses.Names is { Count: > 0 } lost)
        {
            headers["x-gateway-dropped-reply"] = string.Join(',', lost);
        }

        BudgetHeaders.Set(exchange.Budgets, headers);
        foreach (var (gate, _, _) in exchange.Entered)
        {
            RateRefusal.Show(gate, response);
        }
    }
}
