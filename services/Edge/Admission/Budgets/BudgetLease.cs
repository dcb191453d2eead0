using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>What a request may cost, as far as it is known before it runs.</summary>
/// <param name="Want">The worst case, in nano-dollars: with this the request runs unguarded.</param>
/// <param name="Least">What it is expected to cost: with less it does not start.</param>
/// <param name="Learned">Whether <paramref name="Least"/> was learned from requests like it. A prior alone refuses nothing.</param>
internal readonly record struct CostEstimate(long Want, long Least, bool Learned);

/// <summary>Why a reservation was not made.</summary>
internal enum LeaseRefusal
{
    /// <summary>It was made.</summary>
    None,

    /// <summary>The budget has not that much left.</summary>
    Exceeded,

    /// <summary>Nobody can say what is left: Redis or Ledger does not answer.</summary>
    Unavailable,
}

/// <summary>Room that one request holds in one lease.</summary>
/// <param name="Amount">How much, in nano-dollars.</param>
/// <param name="Guarded">Whether it is less than the worst case: the request must be watched while it runs.</param>
/// <param name="Refusal">Why there is none.</param>
/// <param name="RetryAfterMilliseconds">For <see cref="LeaseRefusal.Unavailable"/>: when to come again.</param>
internal readonly record struct LeaseHold(long Amount, bool Guarded, LeaseRefusal Refusal = LeaseRefusal.None, long RetryAfterMilliseconds = 0);

/// <summary>All that a process charged to a window and was granted of it, in nano-dollars.</summary>
internal readonly record struct LeaseTotals(long Charged, long Granted);

/// <summary>
/// This edge's lease on one budget window. The warm path is one compare-and-swap on <see cref="room"/>; everything else happens in one
/// contact at a time with Redis (<see cref="ContactAsync"/>). room = granted - charged - reserved for requests under way, so it is exact
/// without knowing what Ledger has booked.
/// </summary>
internal sealed class BudgetLease(BudgetWindow window, BudgetDefinition definition, LeaseStore store, LedgerClient ledger, EdgeIdentity identity, BudgetOptions options, TimeProvider time, LeaseTotals totals)
{
    /// <summary>A refill ahead of requests takes at most this part of what a window has left.</summary>
    private const int RefillPart = 8;

    private readonly Lock gate = new();
    private readonly List<Waiter> waiters = [];

    private long room;
    private long reserved;
    private long underWay;
    private long charged = totals.Charged;
    private long granted = totals.Granted;

    /// <summary>Room that is on its way back to Redis: nobody may take it until Redis has said what became of it.</summary>
    private long aside;

    /// <summary>Room of a raise that is over, or that others have called back: taken out and not on its way yet.</summary>
    private long toGiveBack;
    private long recallAgainAt;
    private long recallVainUntil;
    private long recalledUntil;
    private DateTimeOffset? increaseEnded;
    private long freshUntil;
    private long exhaustedUntil;
    private long exhaustedFrom;
    private long lookahead;
    private long chargedAtTick = totals.Charged;
    private long usedAt = Environment.TickCount64;
    private int kicked;
    private int contacting;
    private bool mustEnsure;
    private bool mustLook;
    private long ensureAgainAt;
    private long toldRevision = -1;
    private int telling;
    private long tellAgainAt;
    private LeaseReply? lastReply;
    private BudgetDefinition definition = definition;

    public BudgetWindow Window { get; } = window;

    public BudgetDefinition Definition => Volatile.Read(ref definition);

    /// <summary>When the window ends, as answers say it; null for never.</summary>
    public string? ResetsAt { get; } = window.End?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What Redis said last of the whole window; null before the first contact.</summary>
    public LeaseReply? LastReply => Volatile.Read(ref lastReply);

    /// <summary>What the window may spend, as Redis said last.</summary>
    public Money Limit => LastReply is { } reply ? new Money(reply.Limit) : Definition.Limit;

    /// <summary>When it was last used (<see cref="Environment.TickCount64"/>).</summary>
    public long UsedAt => Volatile.Read(ref usedAt);

    /// <summary>Whether this edge holds nothing of the window and nobody waits: it may be forgotten.</summary>
    public bool Idle => Volatile.Read(ref reserved) == 0 && Volatile.Read(ref room) == 0 && Volatile.Read(ref aside) == 0 && Volatile.Read(ref toGiveBack) == 0;

    /// <summary>What Redis knows this process by.</summary>
    public LeaseTotals Totals => new(Volatile.Read(ref charged), granted);

    /// <summary>What is left for everybody, as far as this edge knows.</summary>
    public Money Remaining => LastReply is { } reply
        ? Money.Max(Money.Zero, new Money(reply.Available + Math.Max(0, Volatile.Read(ref room))))
        : Definition.Limit;

    private bool Fresh => Environment.TickCount64 < Volatile.Read(ref freshUntil);

    /// <summary>Takes <paramref name="amount"/> for a new request when this edge has it: the warm path.</summary>
    public bool TryReserve(long amount)
    {
        if (!TryTake(amount))
        {
            return false;
        }

        Interlocked.Increment(ref underWay);
        return true;
    }

    private bool TryTake(long amount)
    {
        if (!Fresh)
        {
            return false;
        }

        var before = Volatile.Read(ref room);
        while (before >= amount)
        {
            var seen = Interlocked.CompareExchange(ref room, before - amount, before);
            if (seen == before)
            {
                Interlocked.Add(ref reserved, amount);
                if (before - amount < Volatile.Read(ref lookahead) / 2 && Ahead > 0)
                {
                    // Refilled before it runs dry: nobody waits for this.
                    Kick();
                }

                return true;
            }

            before = seen;
        }

        return false;
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

        return WaitAsync(new Waiter(estimate, options, extends: false));
    }

    /// <summary>Takes more for a guarded request under way: at least <paramref name="least"/>, or nothing.</summary>
    public ValueTask<LeaseHold> ExtendAsync(long least, long want)
    {
        if (TryTake(want))
        {
            return new(new LeaseHold(want, Guarded: true));
        }

        return TryTake(least)
            ? new(new LeaseHold(least, Guarded: true))
            : WaitAsync(new Waiter(() => new CostEstimate(want, least, Learned: true), options, extends: true));
    }

    /// <summary>Replaces what a request reserved by what it cost.</summary>
    public void Settle(long amount, long cost)
    {
        Interlocked.Add(ref charged, cost);
        Interlocked.Add(ref room, amount - cost);
        Interlocked.Add(ref reserved, -amount);
        Interlocked.Decrement(ref underWay);
        Volatile.Write(ref usedAt, Environment.TickCount64);
        if (waiters.Count > 0)
        {
            Kick();
        }
    }

    /// <summary>A newer definition. When Redis has an older one, what is held goes back and Ledger hears of it before more is asked for.</summary>
    public void Update(BudgetDefinition newer)
    {
        lock (gate)
        {
            if (newer.Revision <= definition.Revision)
            {
                return;
            }

            var sameLimit = newer.Limit == definition.Limit && newer.Increase == definition.Increase && newer.IncreaseUntil == definition.IncreaseUntil;
            Volatile.Write(ref definition, newer);
            if (sameLimit)
            {
                // Nothing that hurries: Ledger hears of it after the next word of Redis, and no request waits for that.
                return;
            }

            mustLook = true;
            exhaustedUntil = 0;
        }

        Kick();
    }

    /// <summary>
    /// Called about ten times a second: wakes waiters whose time is over, follows how fast money is spent, beats the heart and gives back
    /// what lies idle.
    /// </summary>
    public void Tick(long now, bool slow, DateTimeOffset time)
    {
        EndIncrease(time);
        if (waiters.Count > 0)
        {
            Kick();
        }

        if (!slow)
        {
            return;
        }

        // Room for about two seconds of what was spent in the last second, falling slowly.
        var total = Volatile.Read(ref charged);
        var spent = total - chargedAtTick;
        chargedAtTick = total;
        Volatile.Write(ref lookahead, Math.Max(spent * 2, Volatile.Read(ref lookahead) * 3 / 4));
        if (HeartbeatDue(now) || Excess(now) > 0)
        {
            Kick();
        }
    }

    /// <summary>Gives back everything that no request under way holds: the edge stops.</summary>
    public async Task ReleaseAsync()
    {
        if (granted != 0 && Interlocked.Exchange(ref contacting, 1) == 0)
        {
            await GiveBackAsync(TakeRoom(long.MaxValue));
        }
    }

    private ValueTask<LeaseHold> WaitAsync(Waiter waiter)
    {
        lock (gate)
        {
            waiters.Add(waiter);
        }

        Kick();
        return new(waiter.Task);
    }

    private void Kick()
    {
        Volatile.Write(ref kicked, 1);
        if (Interlocked.CompareExchange(ref contacting, 1, 0) == 0)
        {
            _ = Task.Run(ContactAsync);
        }
    }

    private async Task ContactAsync()
    {
        do
        {
            try
            {
                while (Interlocked.Exchange(ref kicked, 0) == 1)
                {
                    await ServeAsync();
                }
            }
            finally
            {
                Volatile.Write(ref contacting, 0);
            }
        }
        while (Volatile.Read(ref kicked) == 1 && Interlocked.CompareExchange(ref contacting, 1, 0) == 0);
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
                RefuseAll(LeaseRefusal.Unavailable, 1_000);
                return;
            }

            ServeFromRoom(tight);
            var several = last?.Status == LeaseStatus.Granted;
            var (want, least, count) = Needed(several ? last!.Available : null);
            if (count == 0)
            {
                await RefillOrReleaseAsync();
                return;
            }

            var reply = await store.AcquireAsync(Window.Id, want, least, Volatile.Read(ref charged), granted);
            last = reply;
            switch (reply.Status)
            {
                case LeaseStatus.Granted:
                    Adopt(reply);
                    if (EnsureDue)
                    {
                        // Granted under a limit that is no more: it is asked for again when Ledger has told Redis.
                        break;
                    }

                    // Less than asked for: near the limit requests get what they are expected to cost.
                    tight = Volatile.Read(ref room) < want;
                    break;

                case LeaseStatus.Short:
                    Adopt(reply);
                    if (EnsureDue)
                    {
                        break;
                    }

                    ServeFromRoom(tight: true);
                    if (several)
                    {
                        // There was enough for several when they were counted, and another edge was faster: one by one then.
                        break;
                    }

                    if (reply.Others > 0)
                    {
                        RecallFromOthers();
                    }

                    if (!TryProbe(reply))
                    {
                        RefuseOrKeepWaiting(reply);
                        if (Volatile.Read(ref reserved) == 0 && TakeRoom(long.MaxValue) is > 0 and var rest)
                        {
                            // Too little for anybody here; with what other edges give back it may pay for one more.
                            await GiveBackAsync(rest);
                        }

                        return;
                    }

                    tight = true;
                    break;

                case LeaseStatus.Rebuilding:
                    Adopt(reply);
                    ServeFromRoom(tight: true);
                    RefuseLate(LeaseRefusal.Unavailable, Math.Max(1, reply.RetryAfterMilliseconds));
                    return;

                case LeaseStatus.Unknown when await EnsureAsync():
                    break;

                default:
                    RefuseAll(LeaseRefusal.Unavailable, 1_000);
                    return;
            }
        }

        // The rest is served by the next contact.
        Volatile.Write(ref kicked, 1);
    }

    /// <summary>What those who wait need: all they want, and the least for as many of them as fit into what is available.</summary>
    private (long Want, long Least, int Count) Needed(long? available)
    {
        lock (gate)
        {
            if (waiters.Count == 0)
            {
                return default;
            }

            var roomNow = Math.Max(0, Volatile.Read(ref room));
            long want = 0, least = 0;
            foreach (var waiter in waiters)
            {
                var cost = waiter.Estimate();
                want = Add(want, cost.Want);
                if (least == 0 || (available is { } left && Add(least, cost.Least) <= left))
                {
                    least = Add(least, Math.Max(1, cost.Least));
                }
            }

            least = Math.Max(1, least - roomNow);
            return (Math.Max(least, Add(want, Ahead) - roomNow), least, waiters.Count);
        }
    }

    /// <summary>First come, first served: the worst case while there is plenty, what is expected when it is tight.</summary>
    private void ServeFromRoom(bool tight)
    {
        lock (gate)
        {
            for (var i = 0; i < waiters.Count; i++)
            {
                var waiter = waiters[i];
                var cost = waiter.Estimate();
                if (tight && !cost.Learned && Volatile.Read(ref underWay) > 0 && Environment.TickCount64 < waiter.Deadline(cost))
                {
                    // Near the limit a guess is not worth more than a look: one request runs first and teaches what its kind costs.
                    continue;
                }

                var amount = tight ? Math.Min(cost.Least, cost.Want) : cost.Want;
                if (waiter.Extends ? TryTake(amount) : TryReserve(amount))
                {
                    waiter.Serve(new LeaseHold(amount, Guarded: amount < cost.Want));
                    waiters.RemoveAt(i--);
                }
                else if (!tight)
                {
                    return;
                }
            }
        }
    }

    /// <summary>
    /// A guess alone refuses nobody: when nothing is under way, the first request of which nothing was learned runs with what there is, and
    /// teaches what its kind costs.
    /// </summary>
    private bool TryProbe(LeaseReply reply)
    {
        lock (gate)
        {
            var left = reply.Available + Volatile.Read(ref room);
            if (left <= 0 || Volatile.Read(ref underWay) > 0)
            {
                return false;
            }

            var index = waiters.FindIndex(static waiter => !waiter.Estimate().Learned);
            if (index < 0 || waiters[index].Estimate().Least <= left)
            {
                return false;
            }

            var probe = waiters[index];
            probe.Contents(left);
            waiters.RemoveAt(index);
            waiters.Insert(0, probe);
            return true;
        }
    }

    private void RefuseOrKeepWaiting(LeaseReply reply)
    {
        var now = Environment.TickCount64;
        var mine = Volatile.Read(ref reserved);
        var left = reply.Available + Math.Max(0, Volatile.Read(ref room));
        lock (gate)
        {
            var leastRefused = long.MaxValue;
            for (var i = 0; i < waiters.Count; i++)
            {
                var cost = waiters[i].Estimate();
                // Requests under way may give back what they do not need: worth a short wait, unless all of it is expected to be used.
                var hope = mine > 0 && (!cost.Learned || OverReserved(cost, mine) + left >= cost.Least);
                // … and so may other edges, which have been asked for what they do not need: they answer at once.
                var recalling = reply.Others > 0 && now >= recallVainUntil && now < waiters[i].RecallDeadline;
                if (!recalling && (!hope || now >= waiters[i].Deadline(cost)))
                {
                    leastRefused = Math.Min(leastRefused, cost.Least);
                    waiters[i].Serve(new LeaseHold(0, false, LeaseRefusal.Exceeded));
                    waiters.RemoveAt(i--);
                }
            }

            if (leastRefused < long.MaxValue && reply.Others > 0 && now >= recallVainUntil)
            {
                // They have none to spare: whoever comes next is not made to wait for it.
                recallVainUntil = now + (long)options.RecallMemory.TotalMilliseconds;
            }

            if (mine == 0 && leastRefused < long.MaxValue)
            {
                exhaustedFrom = leastRefused;
                Volatile.Write(ref exhaustedUntil, now + options.RefusalMemoryMilliseconds);
            }
        }
    }

    /// <summary>How much of what is reserved will come back when requests cost what this one is expected to.</summary>
    private long OverReserved(CostEstimate cost, long mine)
    {
        var requests = Volatile.Read(ref underWay);
        return mine - (requests * cost.Least);
    }

    private void RefuseLate(LeaseRefusal refusal, long retryAfter)
    {
        var now = Environment.TickCount64;
        lock (gate)
        {
            for (var i = 0; i < waiters.Count; i++)
            {
                var deadline = waiters[i].RebuildDeadline;
                if (now >= deadline || now + retryAfter > deadline)
                {
                    waiters[i].Serve(new LeaseHold(0, false, refusal, retryAfter));
                    waiters.RemoveAt(i--);
                }
            }
        }
    }

    private void RefuseAll(LeaseRefusal refusal, long retryAfter)
    {
        ServeFromRoom(tight: true);
        lock (gate)
        {
            foreach (var waiter in waiters)
            {
                waiter.Serve(new LeaseHold(0, false, refusal, retryAfter));
            }

            waiters.Clear();
        }
    }

    /// <summary>The room wanted ahead of requests: none while others miss it.</summary>
    private long Ahead => Environment.TickCount64 < Volatile.Read(ref recalledUntil) ? 0 : Volatile.Read(ref lookahead);

    /// <summary>Another edge has no more for its requests: what lies here without a request goes back at once.</summary>
    public void Recall()
    {
        Volatile.Write(ref recalledUntil, Environment.TickCount64 + (long)options.RecallMemory.TotalMilliseconds);
        if (TakeRoom(long.MaxValue) is > 0 and var held)
        {
            Interlocked.Add(ref toGiveBack, held);
            Kick();
        }
    }

    private void RecallFromOthers()
    {
        var now = Environment.TickCount64;
        if (now >= recallAgainAt && now >= recallVainUntil)
        {
            recallAgainAt = now + (long)options.RecallWait.TotalMilliseconds / 2;
            store.Recall(Window.Id);
        }
    }

    private bool HeartbeatDue(long now) =>
        now >= Volatile.Read(ref freshUntil) - (long)options.TimeToLive.TotalMilliseconds + (long)options.Heartbeat.TotalMilliseconds;

    /// <summary>
    /// After a change of the limit, and after a raise: looks whether Redis has heard of it. If not, all that is held goes back and Ledger is
    /// told. False when Ledger did not answer.
    /// </summary>
    private async Task<bool> IsNewestAsync()
    {
        if (mustLook || Volatile.Read(ref toGiveBack) > 0)
        {
            mustLook = false;
            await GiveBackAsync(0);
        }

        if (!EnsureDue)
        {
            return true;
        }

        await GiveBackAsync(TakeRoom(long.MaxValue));
        return await EnsureAsync();
    }

    private async Task RefillOrReleaseAsync()
    {
        var now = Environment.TickCount64;
        var ahead = Ahead;
        var roomNow = Volatile.Read(ref room);
        // Near the limit a refill gets crumbs, and they are missing where the last request that the budget pays for needs them.
        if (roomNow < ahead / 2 && ahead - roomNow > LastReply?.Available / RefillPart)
        {
            if (HeartbeatDue(now) || Excess(now) > 0)
            {
                await GiveBackAsync(TakeRoom(Excess(now)));
            }

            return;
        }

        if (roomNow < ahead / 2)
        {
            var reply = await store.AcquireAsync(Window.Id, ahead - roomNow, 1, Volatile.Read(ref charged), granted);
            if (reply.Status is LeaseStatus.Unknown)
            {
                await EnsureAsync();
            }
            else if (reply.Status is not LeaseStatus.Unreachable)
            {
                Adopt(reply);
            }

            return;
        }

        await GiveBackAsync(TakeRoom(Excess(now)));
    }

    /// <summary>What lies idle: all of it after a pause, the larger part of what is far beyond what is being spent.</summary>
    private long Excess(long now)
    {
        var roomNow = Volatile.Read(ref room);
        if (roomNow <= 0)
        {
            return 0;
        }

        return now - UsedAt > options.IdleAfter.TotalMilliseconds ? roomNow : 0;
    }

    private long TakeRoom(long atMost)
    {
        var before = Volatile.Read(ref room);
        while (Math.Min(before, atMost) is > 0 and var take)
        {
            var seen = Interlocked.CompareExchange(ref room, before - take, before);
            if (seen == before)
            {
                return take;
            }

            before = seen;
        }

        return 0;
    }

    private async Task GiveBackAsync(long amount)
    {
        if (granted == 0 && amount == 0)
        {
            // Nothing held: no heart to beat.
            Volatile.Write(ref freshUntil, 0);
            return;
        }

        amount += Interlocked.Exchange(ref toGiveBack, 0);
        // A reply that is lost may be of a give back that was done: what was taken from the room stays aside until the next word of Redis.
        aside += amount;
        var reply = await store.HeartbeatAsync(Window.Id, Volatile.Read(ref charged), granted, aside);
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
        Compare(reply);
        aside += reply.GrantedInAll - granted;
        granted = reply.GrantedInAll;
        if (!EnsureDue)
        {
            // In one step: room that is there for an instant between two of them would be taken, and spent twice.
            Interlocked.Add(ref room, aside);
            aside = 0;
        }

        Volatile.Write(ref lastReply, reply);
        Volatile.Write(ref freshUntil, Environment.TickCount64 + (long)options.TimeToLive.TotalMilliseconds);
    }

    private bool EnsureDue => Volatile.Read(ref mustEnsure) && Environment.TickCount64 >= ensureAgainAt;

    /// <summary>
    /// Redis has the limit of an older definition: Ledger must hear of the newer one, before anything is spent when the limit is another,
    /// else beside the requests. So a change reaches Redis and Ledger whoever held the window when it was made.
    /// </summary>
    private void Compare(LeaseReply reply)
    {
        var newest = Definition;
        if (reply.Revision >= newest.Revision || toldRevision >= newest.Revision)
        {
            return;
        }

        if (reply.Limit != newest.LimitAt(time.GetUtcNow()).NanoDollars)
        {
            Volatile.Write(ref mustEnsure, true);
        }
        else if (Environment.TickCount64 >= Volatile.Read(ref tellAgainAt) && Interlocked.Exchange(ref telling, 1) == 0)
        {
            _ = Task.Run(TellAsync);
        }
    }

    private async Task TellAsync()
    {
        Volatile.Write(ref tellAgainAt, Environment.TickCount64 + 10_000);
        await AskLedgerAsync(Definition);
        Volatile.Write(ref telling, 0);
    }

    /// <summary>A raise is over: what is held of it goes back.</summary>
    private void EndIncrease(DateTimeOffset now)
    {
        var ends = Definition.IncreaseUntil;
        if (ends is null || now < ends || increaseEnded == ends)
        {
            return;
        }

        increaseEnded = ends;
        if (TakeRoom(long.MaxValue) is > 0 and var held)
        {
            Interlocked.Add(ref toGiveBack, held);
            Kick();
        }
    }

    private async Task<bool> EnsureAsync()
    {
        Volatile.Write(ref mustEnsure, false);
        if (await AskLedgerAsync(Definition))
        {
            return true;
        }

        Volatile.Write(ref mustEnsure, true);
        ensureAgainAt = LastReply is null ? 0 : Environment.TickCount64 + 10_000;
        return false;
    }

    private async Task<bool> AskLedgerAsync(BudgetDefinition newest)
    {
        try
        {
            var ask = new EnsureBudget(newest, Window, new Money(granted));
            using var timeout = new CancellationTokenSource(options.LedgerTimeout);
            await ledger.EnsureAsync(new EnsureBudgets(identity.EdgeId, [ask]), timeout.Token);
            toldRevision = Math.Max(toldRevision, newest.Revision);
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            return false;
        }
    }

    private static long Add(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;

    private sealed class Waiter(Func<CostEstimate> estimate, BudgetOptions options, bool extends)
    {
        private readonly long since = Environment.TickCount64;
        private readonly TaskCompletionSource<LeaseHold> served = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long? contentWith;

        /// <summary>Until when it may wait: longer while nothing is known of its kind and another one is finding out.</summary>
        public long Deadline(CostEstimate cost) => since + (long)(cost.Learned ? options.Wait : options.LearnWait).TotalMilliseconds;

        /// <summary>Until when it may wait for what other edges give back.</summary>
        public long RecallDeadline => since + (long)options.RecallWait.TotalMilliseconds;

        /// <summary>Whether it is a request under way that needs more.</summary>
        public bool Extends { get; } = extends;

        public Task<LeaseHold> Task => served.Task;

        public CostEstimate Estimate()
        {
            var cost = estimate();
            return contentWith is { } least && !cost.Learned ? cost with { Least = least } : cost;
        }

        /// <summary>Until when it may wait for a window that is being rebuilt, as after a restart of everything.</summary>
        public long RebuildDeadline => since + (long)options.RebuildWait.TotalMilliseconds;

        public void Contents(long least) => contentWith = least;

        public void Serve(LeaseHold hold) => served.TrySetResult(hold);
    }
}
