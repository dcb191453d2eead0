namespace Gateway.Edge.Admission.Rates;

/// <summary>Redis' clock as an edge knows it: never behind, at most the round trip ahead.</summary>
/// <param name="ServerMs">What Redis said.</param>
/// <param name="SentMs">When it was asked, on the edge's own clock.</param>
internal sealed record RateClock(long ServerMs, long SentMs)
{
    /// <summary>Redis' time now, or a little later: both clocks were cut to whole milliseconds.</summary>
    public long LatestAt(long nowMs) => ServerMs + nowMs - SentMs + 2;
}

/// <summary>
/// Permits that this edge holds and may use until <see cref="UntilMs"/>. They only become fewer: what is given back goes to Redis, because
/// it counts from when it was taken.
/// </summary>
internal sealed class WindowChunk(long granted, long bucket, long untilMs, RateClock clock, RateWindow rule, UseRing ring, long refillBelow)
{
    private long room = granted;
    private int refilling;

    public long Bucket => bucket;

    public long UntilMs => untilMs;

    public long Room => Volatile.Read(ref room);

    /// <summary>Takes from it: the warm path.</summary>
    /// <returns>The bucket in which it was used; 0 when there is not enough.</returns>
    public long TryTake(long amount, long nowMs)
    {
        if (nowMs >= untilMs || Volatile.Read(ref room) < amount)
        {
            return 0;
        }

        // Added to the uses before it leaves the room, so that whoever compares sees it at least once.
        var entry = Math.Min(bucket, rule.BucketOf(clock.LatestAt(nowMs)));
        ring.Add(entry, amount);
        var before = Volatile.Read(ref room);
        while (before >= amount)
        {
            var seen = Interlocked.CompareExchange(ref room, before - amount, before);
            if (seen == before)
            {
                return entry;
            }

            before = seen;
        }

        ring.Add(entry, -amount);
        return 0;
    }

    /// <summary>Whether it is time to refill it, before anybody waits; true once.</summary>
    public bool MustRefill() => Volatile.Read(ref room) < refillBelow && Interlocked.Exchange(ref refilling, 1) == 0;

    /// <summary>Nobody takes from it any more; what was left goes back with the next contact.</summary>
    public long Seal() => Interlocked.Exchange(ref room, 0);
}
