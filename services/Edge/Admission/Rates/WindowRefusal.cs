namespace Gateway.Edge.Admission.Rates;

/// <summary>What Redis said when there was not enough: repeated here for a moment, with what is left of the wait.</summary>
internal sealed class WindowRefusal(long available, long serverMs, long atMs, RateUse[] uses, long untilMs, RateWindow rule)
{
    private readonly long holdsUntilMs = uses.Length == 0 ? untilMs : Math.Min(untilMs, atMs + Math.Max(0, rule.EndOf(uses[0].Bucket) - serverMs));

    public bool Holds(long amount, long nowMs) => amount > available && nowMs < holdsUntilMs;

    public RateDecision Decide(long amount, long nowMs) =>
        // One millisecond more than the cut clocks say, so that who waits for so long is let in.
        new(false, TimeSpan.FromMilliseconds(rule.Wait(uses, available, amount, serverMs + nowMs - atMs) + 1));
}
