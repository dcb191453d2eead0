namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// What this edge holds of one budget window, in nano-dollars. free = granted - charged - reserved for requests under way, so it is exact
/// without knowing what Ledger has booked. The warm path is one compare-and-swap here; nobody waits for anybody.
/// </summary>
/// <param name="charged">What this process charged to the window before.</param>
internal sealed class LeaseRoom(long charged)
{
    /// <summary>Far below what anybody could settle: nobody finds room in what is closed.</summary>
    private const long Closed = long.MinValue / 2;

    private long free;
    private long reserved;
    private long underWay;
    private long chargedBefore = charged;
    private long chargedHere;
    private long freshUntil;

    /// <summary>What no request holds.</summary>
    public long Free => Volatile.Read(ref free);

    /// <summary>What requests under way hold.</summary>
    public long Reserved => Volatile.Read(ref reserved);

    /// <summary>How many requests are under way.</summary>
    public long UnderWay => Volatile.Read(ref underWay);

    /// <summary>What was charged here.</summary>
    public long ChargedHere => Volatile.Read(ref chargedHere);

    /// <summary>All that was ever charged.</summary>
    public long Charged => Volatile.Read(ref chargedBefore) + ChargedHere;

    /// <summary>Until when it may be used without another word of Redis (<see cref="Environment.TickCount64"/>).</summary>
    public long FreshUntil
    {
        get => Volatile.Read(ref freshUntil);
        set => Volatile.Write(ref freshUntil, value);
    }

    /// <summary>
    /// Closes it for ever when nothing is in it and no request holds anything: whoever comes in this moment finds no room. False when somebody
    /// was there, and then it is as it was.
    /// </summary>
    public bool TryClose()
    {
        if (Interlocked.CompareExchange(ref free, Closed, 0) != 0)
        {
            return false;
        }

        // Whoever took room before has said so before: see TryTake.
        if (Reserved == 0)
        {
            return true;
        }

        Interlocked.Add(ref free, -Closed);
        return false;
    }

    /// <summary>Takes room for a new request; <paramref name="left"/> is what is free after it.</summary>
    public bool TryReserve(long amount, out long left)
    {
        if (!TryTake(amount, out left))
        {
            return false;
        }

        Interlocked.Increment(ref underWay);
        return true;
    }

    /// <summary>Takes room for a request under way; <paramref name="left"/> is what is free after it.</summary>
    public bool TryTake(long amount, out long left)
    {
        left = 0;
        if (Environment.TickCount64 >= FreshUntil)
        {
            return false;
        }

        var before = Free;
        if (before < amount)
        {
            return false;
        }

        // Said first: at no instant is room gone that nobody holds.
        Interlocked.Add(ref reserved, amount);
        while (before >= amount)
        {
            var seen = Interlocked.CompareExchange(ref free, before - amount, before);
            if (seen == before)
            {
                left = before - amount;
                return true;
            }

            before = seen;
        }

        Interlocked.Add(ref reserved, -amount);
        return false;
    }

    /// <summary>Replaces what a request reserved by what it cost.</summary>
    public void Settle(long amount, long cost)
    {
        Interlocked.Add(ref chargedHere, cost);
        Interlocked.Add(ref free, amount - cost);
        Interlocked.Add(ref reserved, -amount);
        Interlocked.Decrement(ref underWay);
    }

    /// <summary>Takes out what no request holds: it goes back to Redis.</summary>
    public long TakeOut(long atMost)
    {
        var before = Free;
        while (Math.Min(before, atMost) is > 0 and var take)
        {
            var seen = Interlocked.CompareExchange(ref free, before - take, before);
            if (seen == before)
            {
                return take;
            }

            before = seen;
        }

        return 0;
    }

    /// <summary>What was charged before anything is known here.</summary>
    public void StartFrom(long before) => Volatile.Write(ref chargedBefore, before);

    /// <summary>What Redis granted comes in; less than nothing when it has taken something back.</summary>
    public void Add(long amount) => Interlocked.Add(ref free, amount);
}
