namespace Gateway.Edge.Admission.Budgets;

/// <summary>What a request may cost, as far as it is known before it runs.</summary>
/// <param name="Want">The worst case, in nano-dollars: with this the request runs unguarded.</param>
/// <param name="Least">What it is expected to cost: with less it does not start.</param>
/// <param name="Learned">Whether <paramref name="Least"/> was learned from requests like it. A prior alone refuses nothing.</param>
/// <param name="Prompt">What reading it alone is expected to cost: with less not even one that finds out starts.</param>
internal readonly record struct CostEstimate(long Want, long Least, bool Learned, long Prompt = 0);

/// <summary>Why a reservation was not made.</summary>
internal enum LeaseRefusal
{
    /// <summary>It was made.</summary>
    None,

    /// <summary>The budget has not that much left.</summary>
    Exceeded,

    /// <summary>Nobody can say what is left: Redis or Ledger does not answer.</summary>
    Unavailable,

    /// <summary>The lease was forgotten in this moment: the window has another one (<see cref="BudgetSlot.Current"/>).</summary>
    Forgotten,
}

/// <summary>Room that one request holds in one lease.</summary>
/// <param name="Amount">How much, in nano-dollars.</param>
/// <param name="Guarded">Whether it is less than the worst case: the request must be watched while it runs.</param>
/// <param name="Refusal">Why there is none.</param>
/// <param name="RetryAfterMilliseconds">For <see cref="LeaseRefusal.Unavailable"/>: when to come again.</param>
internal readonly record struct LeaseHold(long Amount, bool Guarded, LeaseRefusal Refusal = LeaseRefusal.None, long RetryAfterMilliseconds = 0);

/// <summary>All that a process charged to a window and was granted of it, in nano-dollars.</summary>
internal readonly record struct LeaseTotals(long Charged, long Granted);
