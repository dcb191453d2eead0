using Gateway.Contracts;

namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// Requests under way at once. This edge has slots in Redis, with a heartbeat; a request takes one of them with one compare-and-swap. Slots
/// that nobody needs go back within about a second, those of an edge that died are free after <see cref="RateOptions.SlotTimeToLive"/>.
/// </summary>
internal sealed class SlotGate(
    LimitDefinition definition, string field, RateStore store, TimeProvider time, RateOptions options, ILogger logger)
    : LeasedGate(definition, time, options, logger)
{
    /// <summary>Nobody knows when a request under way ends; idle slots of other edges are back after this.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // Held in the upper half, in use in the lower: both change together, so no more than is held is ever in use.
    private long state;
    private long liveUntilMs;
    private long contactAtMs;
    private long refusedUntilMs;
    private long others;
    private int peak;
    private int peakBefore;
    private int flush;
    private int trim;
    private int over;

    private int InUse => (int)Volatile.Read(ref state);

    private int Held => (int)(Volatile.Read(ref state) >> 32);

    public override ValueTask<RateDecision> EnterAsync(long amount)
    {
        var now = NowMs;
        Touch(now);
        if (TryEnter(now))
        {
            return new(new RateDecision(true));
        }

        if (Definition.Limit <= 0)
        {
            return new(new RateDecision(false, RetryAfter, Never: true));
        }

        return now < Volatile.Read(ref refusedUntilMs)
            ? new(new RateDecision(false, RetryAfter))
            : WaitAsync(1, now);
    }

    public override void Leave(long amount, long used, bool count, long entry = 0)
    {
        if (Volatile.Read(ref over) == 0)
        {
            Interlocked.Decrement(ref state);
        }
        else
        {
            // There are more under way than the limit, which was lowered: the slot goes with its request.
            Interlocked.Add(ref state, -(1L << 32) - 1);
            Volatile.Write(ref flush, 1);
            Kick();
            return;
        }

        if (SomebodyWaits)
        {
            Kick();
        }
    }

    public override RateView View()
    {
        var limit = Definition.Limit;
        return new RateView(limit, Math.Clamp(limit - Volatile.Read(ref others) - InUse, 0, limit), TimeSpan.Zero);
    }

    public override bool Forgettable(long nowMs) => Volatile.Read(ref state) == 0 && Volatile.Read(ref flush) == 0 && !SomebodyWaits;

    public override void Tick(long nowMs)
    {
        var needed = Math.Max(Volatile.Read(ref peak), Volatile.Read(ref peakBefore));
        Volatile.Write(ref peakBefore, Volatile.Read(ref peak));
        Volatile.Write(ref peak, InUse);
        var held = Held;
        var heartbeat = held > 0 && nowMs - Volatile.Read(ref contactAtMs) >= Options.SlotMs / 4;
        if (held > Math.Max(needed, InUse) || heartbeat || SomebodyWaits || Volatile.Read(ref flush) != 0)
        {
            Volatile.Write(ref flush, 1);
            Kick();
        }
    }

    protected override void Reset() => Volatile.Write(ref others, 0);

    public override void Redeclare()
    {
        if (Held > 0)
        {
            Volatile.Write(ref flush, 1);
            Kick();
        }
    }

    public override async Task ReleaseAsync()
    {
        if (Held > 0)
        {
            Volatile.Write(ref trim, 1);
            Volatile.Write(ref flush, 1);
            await ContactNowAsync();
        }
    }

    protected override void LimitChanged()
    {
        Volatile.Write(ref refusedUntilMs, 0);
        Volatile.Write(ref over, 1);
        Trim(0);
        Volatile.Write(ref flush, 1);
        Kick();
    }

    protected override bool TryEnter(long amount, out RateDecision decision)
    {
        decision = new RateDecision(true);
        return TryEnter(NowMs);
    }

    protected override async Task ContactAsync()
    {
        for (var round = 0; ; round++)
        {
            var (_, all, count) = Serve();
            var now = NowMs;
            if (count == 0 && Interlocked.Exchange(ref flush, 0) == 0)
            {
                return;
            }

            // 1. Given up here before Redis hears of it: what lies idle, and everything idle when the lease has lapsed.
            var lapsed = now >= Volatile.Read(ref liveUntilMs);
            if (Interlocked.Exchange(ref trim, 0) == 1 || lapsed)
            {
                Trim(0);
            }
            else if (count == 0)
            {
                Trim(Math.Max(Volatile.Read(ref peak), Volatile.Read(ref peakBefore)));
            }

            // 2. What is held is kept in any case; the rest while there are slots, some ahead when most of them are free.
            var keep = Held;
            var limit = Definition.Limit;
            var ahead = count > 0 && keep + Volatile.Read(ref others) < limit / 2 ? Math.Min(limit / 20, all) : 0;
            var reply = await store.SlotsAsync(Name, field, keep + (count > 0 ? all + ahead : 0), keep, limit);
            if (reply.Status == RateStatus.Unreachable)
            {
                Volatile.Write(ref flush, 1);
                RefuseAsUnavailable(Options.TimeoutMs);
                return;
            }

            // 3. The new number; only a contact changes it, so the difference is all that there is to add.
            Interlocked.Add(ref state, (reply.Count - keep) << 32);
            Volatile.Write(ref liveUntilMs, now + Options.SlotMs);
            Volatile.Write(ref contactAtMs, now);
            Volatile.Write(ref others, reply.Others);
            Volatile.Write(ref over, reply.Count + reply.Others > Definition.Limit ? 1 : 0);
            if (reply.Status == RateStatus.Settling)
            {
                RefuseAsUnavailable(reply.WaitMs);
                return;
            }

            if (Serve().Count == 0)
            {
                return;
            }

            if (reply.Count < keep + all || round > 8)
            {
                Volatile.Write(ref refusedUntilMs, NowMs + Math.Min(100, (long)Options.RefusalMemory.TotalMilliseconds));
                Refuse(0, 0, static (_, _) => new RateDecision(false, RetryAfter));
                return;
            }
        }
    }

    private bool TryEnter(long nowMs)
    {
        if (nowMs >= Volatile.Read(ref liveUntilMs))
        {
            return false;
        }

        var before = Volatile.Read(ref state);
        while ((int)before < (int)(before >> 32))
        {
            var seen = Interlocked.CompareExchange(ref state, before + 1, before);
            if (seen == before)
            {
                if ((int)before >= Volatile.Read(ref peak))
                {
                    Volatile.Write(ref peak, (int)before + 1);
                }

                return true;
            }

            before = seen;
        }

        return false;
    }

    /// <summary>Holds no more than is in use, or <paramref name="atLeast"/> when that is more.</summary>
    private void Trim(int atLeast)
    {
        var before = Volatile.Read(ref state);
        while (true)
        {
            var held = Math.Min((int)(before >> 32), Math.Max((int)before, atLeast));
            var after = ((long)held << 32) | (uint)(int)before;
            var seen = Interlocked.CompareExchange(ref state, after, before);
            if (seen == before)
            {
                return;
            }

            before = seen;
        }
    }
}
