using System.Globalization;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Flow;

/// <summary>The headers of an answer, the gateway's and those that LiteLLM's users know.</summary>
internal static class ReplyHeaders
{
    // A caller may send any number of fields of any length, and a header that is too long is an answer that no client reads.
    private const int DroppedNameLengthMax = 100;

    /// <summary>Nothing is dropped silently: names the fields that a provider could not be told.</summary>
    public static void Dropped(RequestExchange exchange, IReadOnlyList<string> fields)
    {
        // Also where nothing is: a target that was tried before may have left something there.
        exchange.Context.Response.Headers["x-gateway-dropped-params"] = fields.Count > 0 ? Listed(fields) : default;
    }

    private static string Listed(IReadOnlyList<string> names) => string.Join(',', names.Take(DroppedFields.NamesMax).Select(Printable));

    /// <summary>A name that a caller or a provider chose, as it may stand in a header.</summary>
    private static string Printable(string name) =>
        string.Concat(name.Take(DroppedNameLengthMax).Select(static c => c is > ' ' and < '\x7f' and not ',' ? c : '?'));

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
            headers["x-gateway-dropped-reply"] = Listed(lost);
        }

        BudgetHeaders.Set(exchange.Budgets, headers);
        foreach (var (gate, _, _) in exchange.Entered)
        {
            RateRefusal.Show(gate, response);
        }
    }
}
