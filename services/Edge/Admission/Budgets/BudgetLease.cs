using System.Globalization;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// This edge's lease on one budget window. A request takes room (<see cref="LeaseRoom"/>) without asking anybody; whoever finds none waits
/// (<see cref="LeaseQueue"/>). This class says when Redis is talked to (<see cref="LeaseGrants"/>), one contact at a time: it refills, beats
/// the heart, and gives back what lies idle or what others miss.
/// </summary>
internal sealed class BudgetLease
{
    /// <summary>A refill ahead of requests takes at most this part of what a window has left.</summary>
    private const int RefillPart = 8;

    private readonly BudgetOptions options;
    private readonly LeaseRoom room;
    private readonly LeaseQueue queue;
    private readonly LeaseTerms terms;
    private readonly LeaseGrants grants;
    private readonly LeaseScarcity scarcity;
    private readonly LeaseContact contact;

    private long recalledUntil;
    private long lookahead;
    private long chargedAtTick;
    private long usedAt = Environment.TickCount64;
    private volatile bool closed;
    private GatewayError? usedUp;

    public BudgetLease(
        BudgetWindow window, BudgetDefinition definition, LeaseStore store, LedgerClient ledger, EdgeIdentity identity, BudgetOptions options, EdgeLog log, TimeProvider time,
        LeaseTotals? earlier)
    {
        this.options = options;
        Window = window;
        ResetsAt = window.End?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        terms = new LeaseTerms(window, definition, ledger, identity, options, time);
        room = new LeaseRoom(earlier?.Charged ?? 0);
        queue = new LeaseQueue(room);
        grants = new LeaseGrants(window.Id, store, room, terms, options, earlier);
        scarcity = new LeaseScarcity(window.Id, store, options);
        contact = new LeaseContact(ServeAsync, error =>
        {
            log.BudgetContactFailed(window.Id, error);
            queue.Abandon(1_000);
        });
    }

    public BudgetWindow Window { get; }

    public BudgetDefinition Definition => terms.Definition;

    /// <summary>When the window ends, as answers say it; null for never.</summary>
    public string? ResetsAt { get; }

    /// <summary>What a request is told that it refuses, made once: many may be refused.</summary>
    public GatewayError UsedUp => usedUp ??= BudgetRefusal.UsedUp(Window);

    /// <summary>What Redis said last of the whole window; null before the first contact.</summary>
    public LeaseReply? LastReply => grants.LastReply;

    /// <summary>What the window may spend, as Redis said last.</summary>
    public Money Limit => LastReply is { } reply ? new Money(reply.Limit) : Definition.Limit;

    /// <summary>What is left for everybody, as far as this edge knows.</summary>
    public Money Remaining => LastReply is { } reply
        ? Money.Max(Money.Zero, new Money(reply.Available + Math.Max(0, room.Free)))
        : Definition.Limit;

    /// <summary>When it was last used (<see cref="Environment.TickCount64"/>).</summary>
    public long UsedAt => Volatile.Read(ref usedAt);

    /// <summary>Whether it was forgotten: nothing can be taken from it any more, and the window has another one.</summary>
    public bool Closed => closed;

    /// <summary>What Redis knows this process by.</summary>
    public LeaseTotals Totals => grants.Totals;

    /// <summary>The room wanted ahead of requests: none while others miss it.</summary>
    private long Ahead => Environment.TickCount64 < Volatile.Read(ref recalledUntil) ? 0 : Volatile.Read(ref lookahead);

    /// <summary>
    /// Closes it for ever when this edge holds nothing of the window and nobody waits: it may be forgotten then, and
    /// <see cref="Totals"/> does not change any more. Whoever still has it in hand gets nothing from it.
    /// </summary>
    public bool TryClose()
    {
        if (!contact.TryEnter())
        {
            return false;
        }

        // No contact begins after this one.
        if (grants.AllCharged && queue.TryClose())
        {
            closed = true;
            return true;
        }

        contact.Leave();
        return false;
    }

    /// <summary>Takes <paramref name="amount"/> for a new request when this edge has it: the warm path.</summary>
    public bool TryReserve(long amount)
    {
        if (!room.TryReserve(amount, out var left))
        {
            return false;
        }

        RefillAhead(left);
        return true;
    }

    /// <summary>
    /// Takes the worst case, or, near the limit, at least what the request is expected to cost. It may wait for requests under way to
    /// settle, no longer than <see cref="BudgetOptions.Wait"/>.
    /// </summary>
    /// <param name="estimate">Asked again after every wait: what is expected is learned meanwhile.</param>
    public ValueTask<LeaseHold> ReserveAsync(Func<CostEstimate> estimate)
    {
        Volatile.Write(ref usedAt, Environment.TickCount64);
        var cost = estimate();
        if (TryReserve(cost.Want))
        {
            return new(new LeaseHold(cost.Want, Guarded: false));
        }

        if (scarcity.Refuses(cost.Least))
        {
            return new(new LeaseHold(0, false, LeaseRefusal.Exceeded));
        }

        return WaitAsync(new LeaseWaiter(estimate, options, extends: false));
    }

    /// <summary>Takes more for a guarded request under way: at least <paramref name="least"/>, or nothing.</summary>
    public ValueTask<LeaseHold> ExtendAsync(long least, long want)
    {
        foreach (var amount in (ReadOnlySpan<long>)[want, least])
        {
            if (room.TryTake(amount, out var left))
            {
                RefillAhead(left);
                return new(new LeaseHold(amount, Guarded: true));
            }
        }

        return WaitAsync(new LeaseWaiter(() => new CostEstimate(want, least, Learned: true), options, extends: true));
    }

    /// <summary>Replaces what a request reserved by what it cost.</summary>
    public void Settle(long amount, long cost)
    {
        room.Settle(amount, cost);
        Volatile.Write(ref usedAt, Environment.TickCount64);
        if (queue.Any)
        {
            contact.Kick();
        }
    }

    /// <summary>A newer definition. When Redis has an older one, what is held goes back and Ledger hears of it before more is asked for.</summary>
    public void Update(BudgetDefinition newer)
    {
        if (terms.Replace(newer))
        {
            scarcity.Forget();
            contact.Kick();
        }
    }

    /// <summary>
    /// Called about ten times a second: wakes waiters whose time is over, follows how fast money is spent, beats the heart and gives back
    /// what lies idle.
    /// </summary>
    public void Tick(long now, bool slow, DateTimeOffset instant)
    {
        if (terms.IncreaseHasEnded(instant))
        {
            GiveBackSoon();
        }

        if (queue.Any)
        {
            contact.Kick();
        }

        if (!slow)
        {
            return;
        }

        // Room for about two seconds of what was spent in the last second, falling slowly.
        var total = room.ChargedHere;
        var spent = total - chargedAtTick;
        chargedAtTick = total;
        Volatile.Write(ref lookahead, Math.Max(spent * 2, Volatile.Read(ref lookahead) * 3 / 4));
        if (grants.HeartbeatDue(now) || Excess(now) > 0)
        {
            contact.Kick();
        }
    }

    /// <summary>Another edge has no more for its requests: what lies here without a request goes back at once.</summary>
    public void Recall()
    {
        Volatile.Write(ref recalledUntil, Environment.TickCount64 + (long)options.RecallMemory.TotalMilliseconds);
        GiveBackSoon();
    }

    /// <summary>Gives back everything that no request under way holds: the edge stops.</summary>
    public async Task ReleaseAsync()
    {
        if (!grants.None && contact.TryEnter())
        {
            await grants.GiveBackAsync(room.TakeOut(long.MaxValue));
        }
    }

    private ValueTask<LeaseHold> WaitAsync(LeaseWaiter waiter)
    {
        if (!queue.Join(waiter))
        {
            return new(new LeaseHold(0, false, LeaseRefusal.Forgotten));
        }

        contact.Kick();
        return new(waiter.Task);
    }

    // Refilled before it runs dry: nobody waits for this.
    private void RefillAhead(long left)
    {
        if (left < Volatile.Read(ref lookahead) / 2 && Ahead > 0)
        {
            contact.Kick();
        }
    }

    private void GiveBackSoon()
    {
        if (grants.TakeOutForReturn())
        {
            contact.Kick();
        }
    }

    private async Task ServeAsync()
    {
        var tight = false;
        LeaseReply? last = null;
        for (var round = 0; round < options.RoundsMax; round++)
        {
            // Without Ledger a window that is open goes on with the limit that Redis has; only one that never was open waits for it.
            if (!await grants.HasNewestTermsAsync() && LastReply is null)
            {
                queue.RefuseAll(1_000);
                return;
            }

            queue.Serve(tight);
            var several = last?.Status == LeaseStatus.Granted;
            var (want, least, count) = queue.Needed(several ? last!.Available : null, Ahead);
            if (count == 0)
            {
                await RefillOrReleaseAsync();
                return;
            }

            var reply = await grants.AcquireAsync(want, least);
            last = reply;
            switch (reply.Status)
            {
                case LeaseStatus.Granted:
                    if (terms.EnsureDue)
                    {
                        // Granted under a limit that is no more: it is asked for again when Ledger has told Redis.
                        break;
                    }

                    // Less than asked for: near the limit requests get what they are expected to cost.
                    tight = room.Free < want;
                    break;

                case LeaseStatus.Short:
                    if (terms.EnsureDue)
                    {
                        break;
                    }

                    queue.Serve(tight: true);
                    if (several)
                    {
                        // There was enough for several when they were counted, and another edge was faster: one by one then.
                        break;
                    }

                    if (reply.Others > 0)
                    {
                        scarcity.Recall();
                    }

                    if (!queue.TryProbe(reply.Available))
                    {
                        await EndShortAsync(reply);
                        return;
                    }

                    tight = true;
                    break;

                case LeaseStatus.Rebuilding:
                    queue.Serve(tight: true);
                    queue.RefuseLate(Math.Max(1, reply.RetryAfterMilliseconds));
                    return;

                case LeaseStatus.Unknown when await grants.EnsureAsync():
                    break;

                default:
                    queue.RefuseAll(1_000);
                    return;
            }
        }

        // The rest is served by the next contact.
        contact.Again();
    }

    /// <summary>Redis has not enough for anybody who waits: some go on waiting for what others give back, the rest is refused.</summary>
    private async Task EndShortAsync(LeaseReply reply)
    {
        var mine = room.Reserved;
        var recalling = reply.Others > 0 && scarcity.MayRecall;
        if (queue.RefuseHopeless(reply.Available, mine, reply.Others, recalling) is { } leastRefused)
        {
            if (recalling)
            {
                scarcity.RecallWasVain();
            }

            if (mine == 0)
            {
                scarcity.RefuseFrom(leastRefused);
            }
        }

        if (room.Reserved == 0 && room.TakeOut(long.MaxValue) is > 0 and var rest)
        {
            // Too little for anybody here; with what other edges give back it may pay for one more.
            await grants.GiveBackAsync(rest);
        }
    }

    private async Task RefillOrReleaseAsync()
    {
        var now = Environment.TickCount64;
        var ahead = Ahead;
        var roomNow = room.Free;
        if (roomNow >= ahead / 2)
        {
            await grants.GiveBackAsync(room.TakeOut(Excess(now)));
        }
        else if (ahead - roomNow > LastReply?.Available / RefillPart)
        {
            // Near the limit a refill gets crumbs, and they are missing where the last request that the budget pays for needs them.
            if (grants.HeartbeatDue(now) || Excess(now) > 0)
            {
                await grants.GiveBackAsync(room.TakeOut(Excess(now)));
            }
        }
        else
        {
            var reply = await grants.AcquireAsync(ahead - roomNow, 1);
            if (reply.Status is LeaseStatus.Unknown)
            {
                await grants.EnsureAsync();
            }
        }
    }

    /// <summary>What lies idle after a pause.</summary>
    private long Excess(long now) => now - UsedAt > options.IdleAfter.TotalMilliseconds ? Math.Max(0, room.Free) : 0;
}
