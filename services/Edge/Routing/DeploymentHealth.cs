namespace Gateway.Edge.Routing;

/// <summary>
/// How one deployment has done of late, kept per deployment and never per host name (T-85). Written by many requests at once without a
/// lock: each number stands for itself.
/// </summary>
internal sealed class DeploymentHealth
{
    private long inFlight;
    private long coolUntil;
    private long minute;
    private long requestsThisMinute;
    private long tokensThisMinute;
    private long failuresThisMinute;
    private long latencyMicroseconds;
    private long latencyAt;

    public long InFlight => Volatile.Read(ref inFlight);

    /// <summary>Requests begun in the current minute.</summary>
    public long Requests => InCurrentMinute() ? Volatile.Read(ref requestsThisMinute) : 0;

    /// <summary>Tokens used in the current minute.</summary>
    public long Tokens => InCurrentMinute() ? Volatile.Read(ref tokensThisMinute) : 0;

    /// <summary>Failures in the current minute.</summary>
    public long Failures => InCurrentMinute() ? Volatile.Read(ref failuresThisMinute) : 0;

    /// <summary>A moving mean of the time to the first byte; 0 when nothing is known, or only what is older than <paramref name="ttl"/>.</summary>
    public long Latency(TimeSpan ttl) =>
        Environment.TickCount64 - Volatile.Read(ref latencyAt) <= ttl.TotalMilliseconds ? Volatile.Read(ref latencyMicroseconds) : 0;

    /// <summary>How long it still rests; zero when it does not.</summary>
    public TimeSpan CoolingFor => TimeSpan.FromMilliseconds(Math.Max(0, Volatile.Read(ref coolUntil) - Environment.TickCount64));

    public bool Cooling => Volatile.Read(ref coolUntil) > Environment.TickCount64;

    public void Begin()
    {
        Roll();
        Interlocked.Increment(ref inFlight);
        Interlocked.Increment(ref requestsThisMinute);
    }

    public void End(long tokens)
    {
        Interlocked.Decrement(ref inFlight);
        if (tokens > 0)
        {
            Interlocked.Add(ref tokensThisMinute, tokens);
        }
    }

    public void Answered(long firstByteMicroseconds)
    {
        var known = Volatile.Read(ref latencyMicroseconds);
        Volatile.Write(ref latencyMicroseconds, known == 0 ? firstByteMicroseconds : known + ((firstByteMicroseconds - known) / 8));
        Volatile.Write(ref latencyAt, Environment.TickCount64);
    }

    /// <summary>Counts a failure of the deployment (never one of a caller: T-64) and returns how many there were in this minute.</summary>
    public long Failed()
    {
        Roll();
        return Interlocked.Increment(ref failuresThisMinute);
    }

    /// <summary>Lets it rest; a longer rest that is under way stays.</summary>
    public void Cool(TimeSpan time)
    {
        var until = Environment.TickCount64 + (long)time.TotalMilliseconds;
        var before = Volatile.Read(ref coolUntil);
        while (before < until)
        {
            var seen = Interlocked.CompareExchange(ref coolUntil, until, before);
            if (seen == before)
            {
                return;
            }

            before = seen;
        }
    }

    private bool InCurrentMinute() => Volatile.Read(ref minute) == Environment.TickCount64 / 60_000;

    private void Roll()
    {
        var now = Environment.TickCount64 / 60_000;
        var before = Volatile.Read(ref minute);
        if (before != now && Interlocked.CompareExchange(ref minute, now, before) == before)
        {
            Volatile.Write(ref requestsThisMinute, 0);
            Volatile.Write(ref tokensThisMinute, 0);
            Volatile.Write(ref failuresThisMinute, 0);
        }
    }
}
