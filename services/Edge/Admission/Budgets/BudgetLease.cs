using System.Globalization;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// This edge's lease on one budget window. A request takes room (<see cref="LeaseRoom"/>) without asking anybody; whoever finds none waits
/// (<see cref="LeaseQueue"/>). This class talks to Redis, one contact at a time: it refills, beats the heart, and gives back what lies idle
/// or what others miss.
/// </summary>
internal sealed class BudgetLease
{
    /// <summary>A refill ahead of requests takes at most this part of what a window has left.</summary>
    private const int RefillPart = 8;

    /// <summary>How often others are asked for what they do not need, while somebody here waits for it.</summary>
    private const int RecallAgainAfterMilliseconds = 200;

    private readonly LeaseStore store;
    private readonly BudgetOptions options;
    private readonly LeaseRoom room;
    private readonly LeaseQueue queue;
    private readonly LeaseTerms terms;
    private readonly LeaseContact contact;

    private long granted;

    /// <summary>Room that is on its way back to Redis: nobody may take it until Redis has said what became of it.</summary>
    private long aside;

    /// <summary>Room of a raise that is over, or that others have called back: taken out and not on its way yet.</summary>
    private long toGiveBack;
    private long recallAgainAt;
    private long recallVainUntil;
    private long recalledUntil;
    private long exhaustedUntil;
    private long exhaustedFrom;
    private long lookahead;
    private long chargedAtTick;
    private long usedAt = Environment.TickCount64;
    private bool pastUnknown;
    private volatile bool closed;
    private LeaseReply? lastReply;
    private GatewayError? usedUp;

    public BudgetLease(
        BudgetWindow window, BudgetDefinition definition, LeaseStore store, LedgerClient ledger, EdgeIdentity identity, BudgetOptions options, EdgeLog log, TimeProvider time,
        LeaseTotals? earlier)
    {
        // Null: what an earlier lease of this process on the window came to is not known any more.
        var totals = earlier ?? default;
        pastUnknown = earlier is null;
        this.store = store;
        this.options = options;
        Window = window;
        ResetsAt = window.End?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        terms = new LeaseTerms(window, definition, ledger, identity, options, time);
        room = new LeaseRoom(totals.Charged);
        queue = new LeaseQueue(room);
        contact = new LeaseContact(ServeAsync, error =>
        {
            log.BudgetContactFailed(window.Id, error);
            queue.Abandon(1_000);
        });
        granted = totals.Granted;
    }

    public BudgetWindow Window { get; }

    public BudgetDefinition Definition => terms.Definition;

    /// <summary>When the window ends, as answers say it; null for never.</summary>
    public string? ResetsAt { get; }

    /// <summary>What a request is told that it refuses, made once: many may be refused.</summary>
    public GatewayError UsedUp => usedUp ??= BudgetRefusal.UsedUp(Window);

    /// <summary>What Redis said last of the whole window; null before the first contact.</summary>
    public LeaseReply? LastReply => Volatile.Read(ref lastReply);

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
    public LeaseTotals Totals => new(room.Charged, granted);

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

        // What was granted is charged to the nano-dollar: nothing is on its way to Redis either. No contact begins after this one.
        if (granted == room.Charged && queue.TryClose())
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

        if (Environment.TickCount64 < Volatile.Read(ref exhaustedUntil) && cost.Least >= Volatile.Read(ref exhaustedFrom))
        {
            // Redis has just said that there is not so much left, and nothing under way could give it back.
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
            Volatile.Write(ref exhaustedUntil, 0);
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
        if (HeartbeatDue(now) || Excess(now) > 0)
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
        if (granted != 0 && contact.TryEnter())
        {
            await GiveBackAsync(room.TakeOut(long.MaxValue));
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
        if (room.TakeOut(long.MaxValue) is > 0 and var held)
        {
            Interlocked.Add(ref toGiveBack, held);
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
            if (!await IsNewestAsync() && LastReply is null)
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

            var reply = await store.AcquireAsync(Window.Id, want, least, room.Charged, granted);
            last = reply;
            switch (reply.Status)
            {
                case LeaseStatus.Granted:
                    Adopt(reply);
                    if (terms.EnsureDue)
                    {
                        // Granted under a limit that is no more: it is asked for again when Ledger has told Redis.
                        break;
                    }

                    // Less than asked for: near the limit requests get what they are expected to cost.
                    tight = room.Free < want;
                    break;

                case LeaseStatus.Short:
                    Adopt(reply);
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
                        RecallFromOthers();
                    }

                    if (!queue.TryProbe(reply.Available))
                    {
                        await EndShortAsync(reply);
                        return;
                    }

                    tight = true;
                    break;

                case LeaseStatus.Rebuilding:
                    Adopt(reply);
                    queue.Serve(tight: true);
                    queue.RefuseLate(Math.Max(1, reply.RetryAfterMilliseconds));
                    return;

                case LeaseStatus.Unknown when await EnsureAsync():
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
        var now = Environment.TickCount64;
        var mine = room.Reserved;
        var recalling = reply.Others > 0 && now >= recallVainUntil;
        if (queue.RefuseHopeless(reply.Available, mine, reply.Others, recalling) is { } leastRefused)
        {
            if (recalling)
            {
                // They have none to spare: whoever comes next is not made to wait for it.
                recallVainUntil = now + (long)options.RecallMemory.TotalMilliseconds;
            }

            if (mine == 0)
            {
                exhaustedFrom = leastRefused;
                Volatile.Write(ref exhaustedUntil, now + options.RefusalMemoryMilliseconds);
            }
        }

        if (room.Reserved == 0 && room.TakeOut(long.MaxValue) is > 0 and var rest)
        {
            // Too little for anybody here; with what other edges give back it may pay for one more.
            await GiveBackAsync(rest);
        }
    }

    private void RecallFromOthers()
    {
        var now = Environment.TickCount64;
        if (now >= recallAgainAt && now >= recallVainUntil)
        {
            recallAgainAt = now + RecallAgainAfterMilliseconds;
            store.Recall(Window.Id);
        }
    }

    private bool HeartbeatDue(long now) => now >= room.FreshUntil - (long)options.TimeToLive.TotalMilliseconds + (long)options.Heartbeat.TotalMilliseconds;

    /// <summary>
    /// After a change of the limit, and after a raise: looks whether Redis has heard of it. If not, all that is held goes back and Ledger is
    /// told. False when Ledger did not answer.
    /// </summary>
    private async Task<bool> IsNewestAsync()
    {
        if (terms.TakeLook() || Volatile.Read(ref toGiveBack) > 0)
        {
            await GiveBackAsync(0);
        }

        if (!terms.EnsureDue)
        {
            return true;
        }

        await GiveBackAsync(room.TakeOut(long.MaxValue));
        return await EnsureAsync();
    }

    private async Task RefillOrReleaseAsync()
    {
        var now = Environment.TickCount64;
        var ahead = Ahead;
        var roomNow = room.Free;
        if (roomNow >= ahead / 2)
        {
            await GiveBackAsync(room.TakeOut(Excess(now)));
        }
        else if (ahead - roomNow > LastReply?.Available / RefillPart)
        {
            // Near the limit a refill gets crumbs, and they are missing where the last request that the budget pays for needs them.
            if (HeartbeatDue(now) || Excess(now) > 0)
            {
                await GiveBackAsync(room.TakeOut(Excess(now)));
            }
        }
        else
        {
            var reply = await store.AcquireAsync(Window.Id, ahead - roomNow, 1, room.Charged, granted);
            if (reply.Status is LeaseStatus.Unknown)
            {
                await EnsureAsync();
            }
            else if (reply.Status is not LeaseStatus.Unreachable)
            {
                Adopt(reply);
            }
        }
    }

    /// <summary>What lies idle after a pause.</summary>
    private long Excess(long now) => now - UsedAt > options.IdleAfter.TotalMilliseconds ? Math.Max(0, room.Free) : 0;

    private async Task GiveBackAsync(long amount)
    {
        if (granted == 0 && amount == 0)
        {
            // Nothing held: no heart to beat.
            room.FreshUntil = 0;
            return;
        }

        amount += Interlocked.Exchange(ref toGiveBack, 0);
        // A reply that is lost may be of a give back that was done: what was taken from the room stays aside until the next word of Redis.
        aside += amount;
        var reply = await store.HeartbeatAsync(Window.Id, room.Charged, granted, aside);
        switch (reply.Status)
        {
            case LeaseStatus.Noted:
                Adopt(reply);
                break;

            case LeaseStatus.Unknown:
                await EnsureAsync();
                break;
        }
    }

    /// <summary>Redis' total is the truth: what a lost reply granted is added, what was reclaimed meanwhile is taken off.</summary>
    private void Adopt(LeaseReply reply)
    {
        terms.Compare(reply);
        if (pastUnknown)
        {
            // What Redis has of this process is of earlier leases, and those had charged all of it when they were forgotten.
            pastUnknown = false;
            granted = reply.GrantedInAll - reply.GrantedNow;
            room.StartFrom(granted);
        }

        aside += reply.GrantedInAll - granted;
        granted = reply.GrantedInAll;
        if (!terms.EnsureDue)
        {
            // In one step: room that is there for an instant between two of them would be taken, and spent twice.
            room.Add(aside);
            aside = 0;
        }

        Volatile.Write(ref lastReply, reply);
        room.FreshUntil = Environment.TickCount64 + (long)options.TimeToLive.TotalMilliseconds;
    }

    private Task<bool> EnsureAsync() => terms.EnsureAsync(granted, isOpen: LastReply is not null);
}
