using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>Why a budget refused.</summary>
/// <param name="Lease">Which, and the lease on its window.</param>
/// <param name="Refusal">Whether it is exceeded, or nobody can say.</param>
/// <param name="RetryAfter">When to come again, when nobody can say.</param>
internal sealed record BudgetRefusal(BudgetLease Lease, LeaseRefusal Refusal, TimeSpan RetryAfter)
{
    /// <summary>The error for the caller: which budget and when it starts again, no amount.</summary>
    public GatewayError ToError(TimeProvider time) => Refusal == LeaseRefusal.Unavailable
        ? GatewayError.StoreUnavailable.After(RetryAfter)
        : Lease.UsedUp.After(Lease.Window.End - time.GetUtcNow());

    /// <summary>The error of a window that is used up, the same for each request that it refuses.</summary>
    public static GatewayError UsedUp(BudgetWindow window)
    {
        var scope = BudgetId.ScopeOf(window.BudgetId);
        var until = window.End is { } end
            ? $"It starts again at {end.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}."
            : "It does not start again by itself: ask your platform's administrators.";
        return new GatewayError(429, "budget_exceeded", $"The budget {Whose(scope)} is used up. {until}", scope);
    }

    private static string Whose(string scope) => scope switch
    {
        BudgetId.SharedScope => "that this request shares with others",
        _ when scope.EndsWith(BudgetId.ModelScopeSuffix, StringComparison.Ordinal) => $"of this {scope[..^BudgetId.ModelScopeSuffix.Length]} for this model",
        _ => $"of this {scope.Replace('_', ' ')}",
    };
}

/// <summary>
/// The money that one request holds: in every budget that applies, or in none. It is settled exactly once, whatever happens to the
/// request.
/// </summary>
internal sealed class BudgetTicket
{
    /// <summary>The most budgets of one request, its target's left out: see <see cref="WindowsMax"/>.</summary>
    public const int BudgetsMax = 48;

    /// <summary>The most windows of one record, its target's counted: Ledger books none with more.</summary>
    public const int WindowsMax = 64;

    private readonly List<(BudgetLease Lease, long Amount)> holds = [];

    /// <summary>Whether some budget gave less than the worst case: the request must be watched while it runs.</summary>
    public bool Guarded { get; private set; }

    /// <summary>What is held in every budget: no more than this may be charged. <see cref="Money.MaxValue"/> when no budget applies.</summary>
    public Money Held
    {
        get
        {
            var held = long.MaxValue;
            foreach (var (_, amount) in holds)
            {
                held = Math.Min(held, amount);
            }

            return new Money(held);
        }
    }

    /// <summary>The windows charged, for the record.</summary>
    public string[] Windows()
    {
        if (holds.Count == 0)
        {
            return [];
        }

        var windows = new string[holds.Count];
        for (var i = 0; i < windows.Length; i++)
        {
            windows[i] = holds[i].Lease.Window.Id;
        }

        return windows;
    }

    /// <summary>
    /// The warm path: everything at its worst case, without waiting for anything. How many of the slots gave it; with fewer than all what was
    /// taken stays taken, and <see cref="ReserveAsync"/> goes on from there.
    /// </summary>
    public int TryReserve(ReadOnlySpan<BudgetSlot> slots, long want)
    {
        var taken = 0;
        foreach (var slot in slots)
        {
            var lease = slot.Current();
            if (!lease.TryReserve(want))
            {
                break;
            }

            holds.Add((lease, want));
            taken++;
        }

        return taken;
    }

    /// <summary>Reserves in the slots from <paramref name="from"/> on; a refusal gives back everything.</summary>
    public async ValueTask<BudgetRefusal?> ReserveAsync(BudgetSlot[] slots, int from, Func<CostEstimate> estimate)
    {
        for (var i = from; i < slots.Length; i++)
        {
            BudgetLease lease;
            LeaseHold hold;
            do
            {
                lease = slots[i].Current();
                hold = await lease.ReserveAsync(estimate);
            }
            while (hold.Refusal == LeaseRefusal.Forgotten);

            if (hold.Refusal != LeaseRefusal.None)
            {
                Settle(Money.Zero);
                return new BudgetRefusal(lease, hold.Refusal, TimeSpan.FromMilliseconds(hold.RetryAfterMilliseconds));
            }

            Guarded |= hold.Guarded;
            holds.Add((lease, hold.Amount));
        }

        return null;
    }

    /// <summary>
    /// Makes sure that <paramref name="cost"/> is held everywhere, extending what is not; null when it is, else the budget that has no
    /// more.
    /// </summary>
    public async ValueTask<BudgetRefusal?> CoverAsync(long cost, long ahead, long tolerance)
    {
        for (var i = 0; i < holds.Count; i++)
        {
            var (lease, amount) = holds[i];
            if (amount >= cost)
            {
                continue;
            }

            // A cost that is counted while tokens stream is an estimate: what is short of it by less than a piece goes on, and the end decides.
            var more = await lease.ExtendAsync(cost - amount, cost - amount + ahead);
            if (more.Refusal == LeaseRefusal.Exceeded && cost - amount <= tolerance)
            {
                continue;
            }

            if (more.Refusal != LeaseRefusal.None)
            {
                return new BudgetRefusal(lease, more.Refusal, TimeSpan.FromMilliseconds(more.RetryAfterMilliseconds));
            }

            holds[i] = (lease, amount + more.Amount);
        }

        return null;
    }

    /// <summary>Holds what a finished answer cost as far as each budget has it, to its last nano-dollar.</summary>
    public async ValueTask CoverAsFarAsItGoesAsync(long cost)
    {
        for (var i = 0; i < holds.Count; i++)
        {
            var (lease, amount) = holds[i];
            var missing = cost - amount;
            if (missing <= 0)
            {
                continue;
            }

            var more = await lease.ExtendAsync(missing, missing);
            if (more.Refusal == LeaseRefusal.Exceeded && Math.Min(missing, lease.Remaining.NanoDollars) is > 0 and var rest)
            {
                more = await lease.ExtendAsync(rest, rest);
            }

            holds[i] = (lease, amount + more.Amount);
        }
    }

    /// <summary>Replaces what is held by what the request cost. A second call does nothing.</summary>
    public void Settle(Money cost)
    {
        foreach (var (lease, amount) in holds)
        {
            lease.Settle(amount, cost.NanoDollars);
        }

        holds.Clear();
        Guarded = false;
    }
}
