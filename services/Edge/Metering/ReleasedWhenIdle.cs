namespace Gateway.Edge.Metering;

/// <summary>Something large that is made when it is needed, and let go when nobody has needed it for a while.</summary>
/// <typeparam name="T">What.</typeparam>
/// <param name="make">Makes it.</param>
/// <param name="idle">After how long it goes; it may stay for up to twice as long.</param>
/// <param name="clock">The time.</param>
internal sealed class ReleasedWhenIdle<T>(Func<T> make, TimeSpan idle, TimeProvider clock)
    where T : class
{
    private readonly Lock gate = new();
    private T? value;
    private long usedAt;
    private ITimer? timer;

    /// <summary>Whether it is there.</summary>
    public bool Made => Volatile.Read(ref value) is not null;

    /// <summary>It. To be asked for each use, and not kept.</summary>
    public T Value
    {
        get
        {
            Volatile.Write(ref usedAt, clock.GetTimestamp());
            return Volatile.Read(ref value) ?? Make();
        }
    }

    private T Make()
    {
        lock (gate)
        {
            if (value is { } made)
            {
                return made;
            }

            made = make();
            Volatile.Write(ref value, made);
            timer = clock.CreateTimer(static state => ((ReleasedWhenIdle<T>)state!).Release(), this, idle, idle);
            return made;
        }
    }

    private void Release()
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(Volatile.Read(ref usedAt)) < idle)
            {
                return;
            }

            Volatile.Write(ref value, null);
            timer?.Dispose();
            timer = null;
        }

        // It is old, and an old thing goes when all is collected: nothing else may ask for that in hours.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
