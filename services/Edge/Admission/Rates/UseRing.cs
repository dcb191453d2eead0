namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// What this edge used in the last window, bucket by bucket, beside what Redis was told of it. Requests add and take away at any time
/// (interlocked); only the one contact with Redis that a gate has under way moves the ring on and compares.
/// </summary>
internal sealed class UseRing(RateWindow rule, long holdMs)
{
    // Enough for the window and for permits that may be used until the end of their hold; the rest is for threads that were held up.
    private const int Slack = 40;

    private readonly long[] used = new long[RateOptions.Buckets + (int)(holdMs / rule.Width) + Slack];
    private readonly long[] told = new long[RateOptions.Buckets + (int)(holdMs / rule.Width) + Slack];
    private long head;

    /// <summary>Makes room up to a bucket. What falls out at the other end counts no more.</summary>
    public void Advance(long bucket)
    {
        var from = Math.Max(head, bucket - used.Length);
        while (from < bucket)
        {
            from++;
            Volatile.Write(ref used[Slot(from)], 0);
            told[Slot(from)] = 0;
        }

        Volatile.Write(ref head, Math.Max(head, bucket));
    }

    public void Add(long bucket, long amount) => Interlocked.Add(ref used[Slot(bucket)], amount);

    /// <summary>Takes back what was added to a bucket, unless that bucket counts no more.</summary>
    public bool TakeBack(long bucket, long amount)
    {
        if (bucket <= Volatile.Read(ref head) - used.Length + (Slack / 2))
        {
            return false;
        }

        TakeUpTo(bucket, amount);
        return true;
    }

    /// <summary>
    /// Takes back an amount whose bucket the caller does not know, from the oldest use that still counts: what is left then counts longer
    /// than it must, never shorter.
    /// </summary>
    public void TakeBackOldest(long oldest, long amount)
    {
        var newest = Volatile.Read(ref head);
        for (var bucket = Math.Max(oldest, newest - used.Length + (Slack / 2) + 1); bucket <= newest && amount > 0; bucket++)
        {
            amount -= TakeUpTo(bucket, amount);
        }
    }

    /// <summary>What was used in the buckets from <paramref name="from"/> to <paramref name="to"/>.</summary>
    public long Used(long from, long to)
    {
        long sum = 0;
        for (var bucket = Math.Max(from, Volatile.Read(ref head) - used.Length + 1); bucket <= to; bucket++)
        {
            sum += Volatile.Read(ref used[Slot(bucket)]);
        }

        return sum;
    }

    /// <summary>Whether Redis holds anything of this edge that still counts: then it must not have lost it.</summary>
    public bool ToldAny(long expired)
    {
        for (var bucket = Math.Max(expired + 1, head - used.Length + 1); bucket <= head; bucket++)
        {
            if (told[Slot(bucket)] != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// What Redis must be told so that it has what this edge used, and what it may still use (<paramref name="room"/> in
    /// <paramref name="roomBucket"/>). The room was read before: a request that takes from it meanwhile counts twice for a moment, never
    /// not at all.
    /// </summary>
    public void Differences(long expired, long roomBucket, long room, List<RateUse> into)
    {
        into.Clear();
        for (var bucket = Math.Max(expired + 1, head - used.Length + 1); bucket <= head; bucket++)
        {
            var slot = Slot(bucket);
            var difference = Volatile.Read(ref used[slot]) + (bucket == roomBucket ? room : 0) - told[slot];
            if (difference != 0)
            {
                into.Add(new RateUse(bucket, difference));
            }
        }
    }

    public void Granted(long bucket, long amount) => told[Slot(bucket)] += amount;

    /// <summary>Redis has taken the differences in.</summary>
    public void Confirm(List<RateUse> differences)
    {
        foreach (var difference in differences)
        {
            told[Slot(difference.Bucket)] += difference.Amount;
        }
    }

    /// <summary>Nobody knows whether Redis has taken them in: what was given back counts as given back, what was added is told again.</summary>
    public void Doubt(List<RateUse> differences)
    {
        foreach (var difference in differences)
        {
            told[Slot(difference.Bucket)] += Math.Min(0, difference.Amount);
        }
    }

    /// <summary>The answer came after all: what was doubted has been taken in, or none of it has.</summary>
    public void Settle(List<RateUse> doubted, bool taken)
    {
        foreach (var (bucket, amount) in doubted)
        {
            if (bucket > head - told.Length)
            {
                told[Slot(bucket)] += taken ? Math.Max(0, amount) : -Math.Min(0, amount);
            }
        }
    }

    /// <summary>Redis has lost everything: all that counts is told again.</summary>
    public void ForgetTold() => Array.Clear(told);

    private long TakeUpTo(long bucket, long amount)
    {
        ref var place = ref used[Slot(bucket)];
        var before = Volatile.Read(ref place);
        while (Math.Min(before, amount) is > 0 and var take)
        {
            var seen = Interlocked.CompareExchange(ref place, before - take, before);
            if (seen == before)
            {
                return take;
            }

            before = seen;
        }

        return 0;
    }

    private int Slot(long bucket) => (int)(bucket % used.Length);
}
