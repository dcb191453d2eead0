using Gateway.Contracts;

namespace Gateway.Edge.Admission.Rates;

/// <summary>Whether a request may go on under one limit.</summary>
/// <param name="Allowed">Whether it may.</param>
/// <param name="RetryAfter">When refused: the true wait until it would be allowed, were nobody else to come.</param>
/// <param name="Unavailable">When refused: nobody can say, because Redis does not answer (503, not 429).</param>
/// <param name="Never">When refused: it asks for more than the whole limit, and no wait helps.</param>
/// <param name="Entry">When allowed: where it was counted. Given to <see cref="RateGate.Leave"/>, what goes back is exact.</param>
internal readonly record struct RateDecision(
    bool Allowed, TimeSpan RetryAfter = default, bool Unavailable = false, bool Never = false, long Entry = 0);

/// <summary>What <c>x-ratelimit-*</c> headers say.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Remaining">What is left now, as far as this edge knows.</param>
/// <param name="ResetAfter">When all of it is back.</param>
internal readonly record struct RateView(long Limit, long Remaining, TimeSpan ResetAfter);

/// <summary>What a refused request was told.</summary>
/// <param name="Definition">By which number.</param>
/// <param name="Seconds">The wait that was named; 0 for none.</param>
/// <param name="Error">The error.</param>
internal sealed record SaidRefusal(LimitDefinition Definition, long Seconds, GatewayError Error);

/// <summary>
/// One limit of one owner, shared by all edges through Redis and entered without a round trip while this edge holds a lease of it. A
/// refused request uses nothing up.
/// </summary>
internal abstract class RateGate(LimitDefinition definition)
{
    private LimitDefinition definition = definition;

    public LimitDefinition Definition => Volatile.Read(ref definition);

    /// <summary>What was said last to a request that it refused; null before the first.</summary>
    public SaidRefusal? Said { get; set; }

    /// <summary>
    /// Takes <paramref name="amount"/> (1 request, 1 slot, or the tokens expected). Completes at once on the warm path.
    /// </summary>
    public abstract ValueTask<RateDecision> EnterAsync(long amount);

    /// <summary>
    /// A request that entered has ended: tokens are corrected to what was used, a slot becomes free. Called exactly once for each allowed
    /// entry, also for failures (with 0 tokens used).
    /// </summary>
    /// <param name="amount">What it took.</param>
    /// <param name="used">Tokens used; ignored by the other kinds.</param>
    /// <param name="count">False when the request was refused by another rule afterwards: then it counts for nothing (T-44).</param>
    /// <param name="entry">
    /// <see cref="RateDecision.Entry"/> of its entry. Without it what goes back is taken off the oldest use that counts: the rest then counts
    /// longer than it must.
    /// </param>
    public abstract void Leave(long amount, long used, bool count, long entry = 0);

    /// <summary>For the headers.</summary>
    public abstract RateView View();

    /// <summary>A newer number for the same owner and kind. It holds from the next entry on.</summary>
    public void Update(LimitDefinition newer)
    {
        var known = Volatile.Read(ref definition);
        if (ReferenceEquals(known, newer))
        {
            return;
        }

        Volatile.Write(ref definition, newer);
        if (known.Limit != newer.Limit)
        {
            LimitChanged();
        }
    }

    /// <summary>What is held or remembered under the old number is worth nothing.</summary>
    protected abstract void LimitChanged();
}
