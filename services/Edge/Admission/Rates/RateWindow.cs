namespace Gateway.Edge.Admission.Rates;

/// <summary>What counts until one instant. Its bucket ends at <c>Bucket * width</c>; it stops counting a window later.</summary>
internal readonly record struct RateUse(long Bucket, long Amount);

/// <summary>
/// The rule of a window that slides, without clock and without Redis. Time is cut into buckets; a use at t belongs to the bucket that ends
/// at or after t and counts until a window after that end: never shorter than a whole window, at most one bucket longer.
/// <see cref="RateScript"/> is the same rule in Lua; a test holds one to the other.
/// </summary>
/// <param name="Window">The window's length in milliseconds.</param>
/// <param name="Width">A bucket's length in milliseconds.</param>
internal readonly record struct RateWindow(long Window, long Width)
{
    /// <summary>The bucket of what is used at <paramref name="at"/> or before.</summary>
    public long BucketOf(long at) => (at + Width - 1) / Width;

    /// <summary>The newest bucket that counts no more.</summary>
    public long ExpiredAt(long now) => (long)Math.Floor((now - Window) / (double)Width);

    /// <summary>When a bucket stops counting.</summary>
    public long EndOf(long bucket) => (bucket * Width) + Window;

    /// <summary>
    /// How much is granted: what those who wait need, as far as it is there and at least the first of them is served; and, far from the
    /// limit, something ahead.
    /// </summary>
    public static (long Granted, bool Ahead) Grant(long available, long least, long need, long extra)
    {
        if (available <= 0 || (need > 0 && available < least))
        {
            return (0, false);
        }

        var needed = Math.Min(need, available);
        var ahead = Math.Min(extra, (available - needed) / 8);
        return (needed + ahead, ahead > 0);
    }

    /// <summary>
    /// How long until <paramref name="amount"/> is free, were nobody else to come.
    /// </summary>
    /// <param name="uses">What counts, oldest first.</param>
    /// <param name="available">What is free at <paramref name="now"/>; below 0 after tokens were used that nobody had reserved.</param>
    /// <param name="amount">How much is wanted; not more than the limit.</param>
    /// <param name="now">The time, on Redis' clock.</param>
    public long Wait(ReadOnlySpan<RateUse> uses, long available, long amount, long now)
    {
        foreach (var use in uses)
        {
            if (available >= amount)
            {
                break;
            }

            var end = EndOf(use.Bucket);
            available += use.Amount;
            if (available >= amount)
            {
                return Math.Max(0, end - now);
            }
        }

        return available >= amount ? 0 : Window;
    }
}
