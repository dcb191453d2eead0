using System.Collections.Concurrent;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// What requests of one key to one model have used: tokens read for each byte of the body, and tokens written. Learned as a moving mean
/// that starts with the first request; asked before each one.
/// </summary>
internal sealed class CostExpectation(CostExpectation? wider = null)
{
    /// <summary>The weight of a new request: the mean follows within a few tens of requests.</summary>
    private const double Weight = 0.1;

    private double inputPerByte;
    private double output;
    private long requests;

    /// <summary>Whether requests of this key, or at least of this model, were seen.</summary>
    public bool Learned => Volatile.Read(ref requests) > 0 || wider is { Learned: true };

    /// <summary>The input tokens expected of a body of <paramref name="bodyBytes"/> bytes; null before anything was learned.</summary>
    public long? Input(long bodyBytes) => Volatile.Read(ref requests) > 0
        ? (long)((inputPerByte * bodyBytes) + 0.5)
        : wider?.Input(bodyBytes);

    /// <summary>The output tokens expected; null before anything was learned.</summary>
    public long? Output => Volatile.Read(ref requests) > 0 ? (long)(Volatile.Read(ref output) + 0.5) : wider?.Output;

    /// <summary>Learns from a finished request. Racing requests may lose one another's share: it is a mean, not an account.</summary>
    public void Learn(long bodyBytes, long inputTokens, long outputTokens)
    {
        if (Interlocked.Increment(ref requests) == 1)
        {
            inputPerByte = inputTokens / (double)Math.Max(1, bodyBytes);
            Volatile.Write(ref output, outputTokens);
        }
        else
        {
            inputPerByte += Weight * ((inputTokens / (double)Math.Max(1, bodyBytes)) - inputPerByte);
            Volatile.Write(ref output, output + (Weight * (outputTokens - output)));
        }

        wider?.Learn(bodyBytes, inputTokens, outputTokens);
    }
}

/// <summary>Every expectation of this edge: of a key and a model, else of the model.</summary>
internal sealed class ExpectationBook
{
    private const int EntriesMax = 200_000;

    private readonly ConcurrentDictionary<(string KeyId, string Model), CostExpectation> ofKeys = new();
    private readonly ConcurrentDictionary<string, CostExpectation> ofModels = new(StringComparer.Ordinal);

    public CostExpectation For(string keyId, string model)
    {
        if (ofKeys.Count >= EntriesMax)
        {
            ofKeys.Clear();
        }

        return ofKeys.GetOrAdd((keyId, model), _ => new CostExpectation(ofModels.GetOrAdd(model, _ => new CostExpectation())));
    }
}
