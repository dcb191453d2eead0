using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// The account of this edge with Redis over one window: what Redis granted it in all, and what is on its way back. It fills and empties the
/// lease's <see cref="LeaseRoom"/>. One contact at a time uses it (<see cref="LeaseContact"/>); what others may call says so.
/// </summary>
internal sealed class LeaseGrants
{
    private readonly string windowId;
    private readonly LeaseStore store;
    private readonly LeaseRoom room;
    private readonly LeaseTerms terms;
    private readonly BudgetOptions options;
    private long granted;

    /// <summary>Room that is on its way back to Redis: nobody may take it until Redis has said what became of it.</summary>
    private long aside;

    /// <summary>Room of a raise that is over, or that others have called back: taken out and not on its way yet.</summary>
    private long toGiveBack;
    private bool pastUnknown;
    private LeaseReply? lastReply;

    /// <param name="earlier">What earlier leases of this process on the window came to; null when that is not known any more.</param>
    public LeaseGrants(string windowId, LeaseStore store, LeaseRoom room, LeaseTerms terms, BudgetOptions options, LeaseTotals? earlier)
    {
        this.windowId = windowId;
        this.store = store;
        this.room = room;
        this.terms = terms;
        this.options = options;
        granted = earlier?.Granted ?? 0;
        pastUnknown = earlier is null;
    }

    /// <summary>What Redis said last of the whole window; null before the first contact. For everybody.</summary>
    public LeaseReply? LastReply => Volatile.Read(ref lastReply);

    /// <summary>What Redis knows this process by.</summary>
    public LeaseTotals Totals => new(room.Charged, granted);

    /// <summary>Whether what was granted is charged to the nano-dollar: nothing is on its way to Redis either.</summary>
    public bool AllCharged => granted == room.Charged;

    /// <summary>Whether nothing was ever granted.</summary>
    public bool None => granted == 0;

    /// <summary>Whether Redis must hear of this edge again, or reclaims what it holds.</summary>
    public bool HeartbeatDue(long now) => now >= room.FreshUntil - (long)options.TimeToLive.TotalMilliseconds + (long)options.Heartbeat.TotalMilliseconds;

    /// <summary>Takes out what no request holds, for the next contact to give back; false when there is nothing. For everybody.</summary>
    public bool TakeOutForReturn()
    {
        if (room.TakeOut(long.MaxValue) is not (> 0 and var held))
        {
            return false;
        }

        Interlocked.Add(ref toGiveBack, held);
        return true;
    }

    /// <summary>Asks for <paramref name="want"/>, or at least <paramref name="least"/>; what Redis says of it is in the room when this returns.</summary>
    public async Task<LeaseReply> AcquireAsync(long want, long least)
    {
        var reply = await store.AcquireAsync(windowId, want, least, room.Charged, granted);
        if (reply.Status is LeaseStatus.Granted or LeaseStatus.Short or LeaseStatus.Rebuilding)
        {
            Adopt(reply);
        }

        return reply;
    }

    /// <summary>Gives back <paramref name="amount"/>, which is out of the room, and what is due; with nothing to give, the heart beats.</summary>
    public async Task GiveBackAsync(long amount)
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
        var reply = await store.HeartbeatAsync(windowId, room.Charged, granted, aside);
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

    /// <summary>
    /// After a change of the limit, and after a raise: looks whether Redis has heard of it. If not, all that is held goes back and Ledger is
    /// told. False when Ledger did not answer.
    /// </summary>
    public async Task<bool> HasNewestTermsAsync()
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

    /// <summary>Has Ledger install the window; false when it did not answer.</summary>
    public Task<bool> EnsureAsync() => terms.EnsureAsync(granted, isOpen: LastReply is not null);

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
}
