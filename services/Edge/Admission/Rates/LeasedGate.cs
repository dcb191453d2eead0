using Gateway.Contracts;

namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// What both forms of a limit share: requests that found nothing here wait in line while one contact at a time goes to Redis. The waiting
/// is bounded by the contact's timeout, the line by <see cref="RateOptions.WaitersMax"/>.
/// </summary>
internal abstract class LeasedGate(LimitDefinition definition, TimeProvider time, RateOptions options, ILogger logger) : RateGate(definition)
{
    private readonly long ticksPerMs = Math.Max(1, time.TimestampFrequency / 1_000);
    private readonly Lock line = new();
    private readonly List<Waiter> waiters = [];
    private int kicked;
    private int contacting;
    private long unavailableUntilMs;
    private long usedAtMs;

    /// <summary>When somebody last asked.</summary>
    public long UsedAtMs => Volatile.Read(ref usedAtMs);

    /// <summary>Whether nothing that it knows counts any more.</summary>
    public abstract bool Forgettable(long nowMs);

    /// <summary>Puts a gate into the round that <see cref="Tick"/> makes; every contact does so again.</summary>
    public Action<LeasedGate>? Wake { get; init; }

    /// <summary>Called a few times a second while awake: gives back what lies idle, beats hearts.</summary>
    public abstract void Tick(long nowMs);

    /// <summary>Redis was away and is back: tells it what is held, whatever it knows.</summary>
    public abstract void Redeclare();

    /// <summary>Gives everything back that no request under way holds: the edge stops.</summary>
    public abstract Task ReleaseAsync();

    protected RateOptions Options => options;

    protected ILogger Logger => logger;

    /// <summary>What the limit is called in Redis.</summary>
    protected string Name { get; } = $"{definition.Owner}|{definition.Kind}";

    protected long NowMs => time.GetTimestamp() / ticksPerMs;

    protected bool SomebodyWaits
    {
        get
        {
            lock (line)
            {
                return waiters.Count > 0;
            }
        }
    }

    /// <summary>Drops what is of use only to a gate in use: it may be in the hands of a thousand callers that do not come.</summary>
    /// <returns>False when somebody came meanwhile.</returns>
    public bool Sleep(long nowMs)
    {
        if (Interlocked.CompareExchange(ref contacting, 1, 0) != 0)
        {
            return false;
        }

        var sleeps = Volatile.Read(ref kicked) == 0 && Forgettable(nowMs);
        if (sleeps)
        {
            Reset();
        }

        Volatile.Write(ref contacting, 0);
        if (Volatile.Read(ref kicked) == 1)
        {
            Kick();
        }

        return sleeps;
    }

    /// <summary>Called between two contacts.</summary>
    protected abstract void Reset();

    /// <summary>One contact with Redis. Never called twice at once.</summary>
    protected abstract Task ContactAsync();

    /// <summary>Takes from what this edge holds, for one who waits.</summary>
    protected abstract bool TryEnter(long amount, out RateDecision decision);

    protected void Touch(long nowMs)
    {
        // Written only when it changes: a line of memory that every request writes is one that every core waits for.
        if (Volatile.Read(ref usedAtMs) != nowMs)
        {
            Volatile.Write(ref usedAtMs, nowMs);
        }
    }

    protected ValueTask<RateDecision> WaitAsync(long amount, long nowMs)
    {
        var away = Volatile.Read(ref unavailableUntilMs) - nowMs;
        if (away > 0)
        {
            return new(Unavailable(away));
        }

        var waiter = new Waiter(amount);
        lock (line)
        {
            if (waiters.Count >= options.WaitersMax)
            {
                return new(Unavailable(options.TimeoutMs));
            }

            waiters.Add(waiter);
        }

        Kick();
        return new(waiter.Task);
    }

    /// <summary>Asks for a contact; one that is under way goes round once more.</summary>
    protected void Kick()
    {
        Volatile.Write(ref kicked, 1);
        if (Interlocked.CompareExchange(ref contacting, 1, 0) == 0)
        {
            _ = RunAsync();
        }
    }

    /// <summary>First come, first served, from what this edge holds.</summary>
    /// <returns>The first who could not be served, all that the others need too, and their number.</returns>
    protected (long First, long All, int Count) Serve()
    {
        lock (line)
        {
            long first = 0, all = 0;
            var kept = 0;
            for (var i = 0; i < waiters.Count; i++)
            {
                var waiter = waiters[i];
                if (TryEnter(waiter.Amount, out var decision))
                {
                    waiter.Answer(decision);
                    continue;
                }

                first = first == 0 ? waiter.Amount : first;
                all = all > long.MaxValue - waiter.Amount ? long.MaxValue : all + waiter.Amount;
                waiters[kept++] = waiter;
            }

            waiters.RemoveRange(kept, waiters.Count - kept);
            return (first, all, kept);
        }
    }

    /// <summary>Answers all who wait for more than <paramref name="available"/>.</summary>
    protected void Refuse<TState>(long available, TState state, Func<TState, long, RateDecision> decide)
    {
        lock (line)
        {
            var kept = 0;
            for (var i = 0; i < waiters.Count; i++)
            {
                if (waiters[i].Amount > available)
                {
                    waiters[i].Answer(decide(state, waiters[i].Amount));
                }
                else
                {
                    waiters[kept++] = waiters[i];
                }
            }

            waiters.RemoveRange(kept, waiters.Count - kept);
        }
    }

    /// <summary>Nobody can say: all who wait, and for a while all who come, are told so without waiting.</summary>
    protected void RefuseAsUnavailable(long forMs)
    {
        Volatile.Write(ref unavailableUntilMs, NowMs + forMs);
        Refuse(long.MinValue, forMs, static (wait, _) => Unavailable(wait));
    }

    protected static RateDecision Unavailable(long ms) => new(false, TimeSpan.FromMilliseconds(Math.Max(1, ms)), Unavailable: true);

    /// <summary>A last contact, awaited; one that is under way is waited for, because it may bring more.</summary>
    protected async Task ContactNowAsync()
    {
        var deadline = NowMs + (2 * options.TimeoutMs);
        while (Interlocked.CompareExchange(ref contacting, 1, 0) != 0)
        {
            if (NowMs > deadline)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        }

        Volatile.Write(ref kicked, 1);
        await RunAsync();
    }

    private async Task RunAsync()
    {
        do
        {
            try
            {
                while (Interlocked.Exchange(ref kicked, 0) == 1)
                {
                    Wake?.Invoke(this);
                    await ContactAsync();
                }
            }
            catch (Exception error)
            {
                // A defect of ours must not leave requests waiting for ever.
                logger.RateContactFailed(error, Definition.Owner, Definition.Kind.ToString());
                RefuseAsUnavailable(options.TimeoutMs);
            }
            finally
            {
                Volatile.Write(ref contacting, 0);
            }
        }
        while (Volatile.Read(ref kicked) == 1 && Interlocked.CompareExchange(ref contacting, 1, 0) == 0);
    }

    private sealed class Waiter(long amount)
    {
        private readonly TaskCompletionSource<RateDecision> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Amount => amount;

        public Task<RateDecision> Task => answered.Task;

        public void Answer(RateDecision decision) => answered.TrySetResult(decision);
    }
}
