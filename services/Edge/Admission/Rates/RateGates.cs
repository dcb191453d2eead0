using System.Collections.Concurrent;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Rates;

/// <summary>Every rate limit of this edge: one gate for each owner and kind, whoever asks.</summary>
internal sealed class RateGates
{
    private readonly ConcurrentDictionary<(string Owner, LimitKind Kind), RateGate> gates = new();

    /// <summary>The gate of a limit; a limit that changed takes effect at once.</summary>
    public RateGate Get(LimitDefinition definition) => throw new NotImplementedException(definition.Owner + gates.Count);
}

internal static class RatesComposition
{
    public static void AddRates(this IServiceCollection services) => services.AddSingleton<RateGates>();
}
