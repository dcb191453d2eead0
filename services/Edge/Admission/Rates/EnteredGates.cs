using Gateway.Contracts;
using Gateway.Edge.Admission.Access;

namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// The limits of a request that uses no tokens: requests per minute and requests at once, of its caller and of the gateway. Disposing leaves
/// them; a request that one of them refused counts in none.
/// </summary>
internal sealed class EnteredGates : IDisposable
{
    private readonly List<(RateGate Gate, long Entry)> entered = [];
    private bool counts;

    /// <summary>Enters them in order; what refuses is the answer, and null is a request that may go on.</summary>
    /// <param name="caller">Whose request it is.</param>
    /// <param name="all">The gateway's own gate; null when it has none.</param>
    /// <param name="response">Takes the headers of a refusal.</param>
    public async ValueTask<GatewayError?> EnterAsync(Caller caller, RateGate? all, HttpResponse response)
    {
        foreach (var gate in all is null ? caller.Gates : [.. caller.Gates, all])
        {
            if (gate.Definition.Kind == LimitKind.TokensPerMinute)
            {
                continue;
            }

            var decision = await gate.EnterAsync(1);
            if (!decision.Allowed)
            {
                return RateRefusal.Of(gate, decision, response);
            }

            entered.Add((gate, decision.Entry));
        }

        counts = true;
        return null;
    }

    public void Dispose()
    {
        foreach (var (gate, entry) in entered)
        {
            gate.Leave(1, 0, counts, entry);
        }

        entered.Clear();
    }
}
