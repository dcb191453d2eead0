using System.Collections.Concurrent;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// Requests or tokens in a window that slides. Permits are taken from Redis in chunks (one when the limit or the traffic is low) and used
/// here with one compare-and-swap. With each contact Redis learns when they were really used, so taking ahead costs nothing.
/// </summary>
internal sealed class WindowGate(
    LimitDefinition definition, RateStore store, TimeProvider time, RateOptions options, ILogger logger)
    : LeasedGate(definition, time, options, logger)
{
    private const int RoundsMax = 64;

    // A sixtieth of the window: a second.
    private const int DemandBuckets = RateOptions.Buckets / 60;

    private readonly RateWindow rule = options.Rule;
    private readonly ConcurrentQueue<(WindowReply Reply, List<RateUse> Corrections, long SentMs)> lateReplies = new();
    private List<RateUse> corrections = [];
    private UseRing? ring;
    private WindowChunk? chunk;
    private WindowRefusal? refusal;

    // Written by the one contact under way; the others only read what they need for the headers and for Leave.
    private RateClock? clock;
    private string born = "";
    private long sum;
    private long sumAtMs;

    private long debt;
    private long dirtySinceMs = long.MaxValue;
    private int returns;
    private int returnsTold;
    private int refill;
    private int releasing;
    private int flush;
    private bool slow;

    public override ValueTask<RateDecision> EnterAsync(long amount)
    {
        var now = NowMs;
        Touch(now);
        if (Volatile.Read(ref chunk) is { } held && held.TryTake(amount, now) is > 0 and var entry)
        {
            if (held.MustRefill())
            {
                Volatile.Write(ref refill, 1);
                Kick();
            }

            return new(new RateDecision(true, Entry: entry));
        }

        return EnterColdAsync(amount, now);
    }

    public override void Leave(long amount, long used, bool count, long entry = 0)
    {
        var tokens = Definition.Kind == LimitKind.TokensPerMinute;
        var kept = !count ? 0 : tokens ? used : amount;
        if (kept == amount)
        {
            return;
        }

        var now = NowMs;
        if (kept > amount)
        {
            // Used without having been reserved: it counts from now on, even beyond the limit.
            Interlocked.Add(ref debt, kept - amount);
            Dirty(now);
            Kick();
            return;
        }

        if (clock is not { } known || ring is not { } uses)
        {
            return;
        }

        if (entry == 0)
        {
            uses.TakeBackOldest(rule.ExpiredAt(known.LatestAt(now)) + 1, amount - kept);
        }
        else if (!uses.TakeBack(entry, amount - kept))
        {
            return;
        }

        Dirty(now);
        // It is free again: the next who comes asks Redis, which hears of it first.
        Interlocked.Increment(ref returns);
        Volatile.Write(ref refusal, null);
        if (SomebodyWaits)
        {
            Kick();
        }
    }

    public override RateView View()
    {
        var limit = Definition.Limit;
        var now = NowMs;
        var counted = Volatile.Read(ref sum);
        var at = Volatile.Read(ref sumAtMs);
        if (clock is null || now - at > rule.Window + Options.HoldMs)
        {
            return new RateView(limit, limit, TimeSpan.Zero);
        }

        var remaining = Math.Clamp(limit - counted + (Volatile.Read(ref chunk)?.Room ?? 0), 0, limit);
        var newest = counted == 0 ? now : Math.Max(at, Math.Min(UsedAtMs, now)) + rule.Window;
        return new RateView(limit, remaining, TimeSpan.FromMilliseconds(Math.Max(0, newest - now)));
    }

    public override bool Forgettable(long nowMs) =>
        nowMs - Math.Max(UsedAtMs, Volatile.Read(ref sumAtMs)) > rule.Window + Options.HoldMs + 1_000
        && !SomebodyWaits && Volatile.Read(ref dirtySinceMs) == long.MaxValue && Volatile.Read(ref debt) == 0;

    public override void Tick(long nowMs)
    {
        var held = Volatile.Read(ref chunk);
        var ended = held is not null && (nowMs >= held.UntilMs || (held.Room > 0 && nowMs - UsedAtMs >= Options.IdleMs));
        // Far from the limit nobody misses what comes back late.
        var patience = Volatile.Read(ref sum) > Definition.Limit / 2 ? Options.IdleMs : Options.IdleMs * 5;
        var overdue = Volatile.Read(ref dirtySinceMs) is var since && since != long.MaxValue && nowMs - since >= patience;
        if (ended || overdue || SomebodyWaits)
        {
            Volatile.Write(ref flush, 1);
            Kick();
        }
    }

    protected override void Reset()
    {
        Interlocked.Exchange(ref chunk, null)?.Seal();
        Volatile.Write(ref refusal, null);
        clock = null;
        ring = null;
    }

    public override void Redeclare()
    {
        if (clock is not null && NowMs - Volatile.Read(ref sumAtMs) <= rule.Window + Options.HoldMs)
        {
            Volatile.Write(ref flush, 2);
            Kick();
        }
    }

    public override async Task ReleaseAsync()
    {
        Volatile.Write(ref releasing, 1);
        Volatile.Write(ref flush, 1);
        await ContactNowAsync();
    }

    protected override void LimitChanged()
    {
        Volatile.Write(ref refusal, null);
        Interlocked.Exchange(ref chunk, null)?.Seal();
        Dirty(NowMs);
    }

    protected override bool TryEnter(long amount, out RateDecision decision)
    {
        var entry = Volatile.Read(ref chunk)?.TryTake(amount, NowMs) ?? 0;
        decision = new RateDecision(true, Entry: entry);
        return entry > 0;
    }

    protected override async Task ContactAsync()
    {
        for (var round = 0; round < RoundsMax; round++)
        {
            // 1. Whoever can be served from here is served; the rest says what is needed.
            var (first, all, count) = Serve();
            var now = NowMs;
            var must = Interlocked.Exchange(ref flush, 0);
            var owes = Volatile.Read(ref debt) != 0;
            var extra = Demand(now, Interlocked.Exchange(ref refill, 0) == 1 || count > 0);
            if (count == 0 && extra == 0 && must == 0 && !owes)
            {
                return;
            }

            // 2. What is not enough for them, or has been left lying, goes back in the same call.
            var held = Volatile.Read(ref chunk);
            if (held is not null && (count > 0 || Volatile.Read(ref releasing) == 1 || now >= held.UntilMs || now - UsedAtMs >= Options.IdleMs))
            {
                held.Seal();
                Volatile.Write(ref chunk, null);
                held = null;
            }

            Volatile.Write(ref dirtySinceMs, long.MaxValue);
            HearLate();
            Compare(now, held);
            if (count == 0 && extra == 0 && must < 2 && corrections.Count == 0 && Volatile.Read(ref debt) == 0)
            {
                return;
            }

            // 3. One call; then its answer.
            var ask = new WindowAsk(
                Definition.Limit, KnownBorn(now), clock, Math.Max(1, first), all, extra, slow ? Options.HoldMs : Options.ShortHoldMs, corrections);
            var reply = await store.WindowAsync(Name, ask, late => TakeLate(late, ask.Corrections, now));
            if (!Take(reply, ask, now))
            {
                return;
            }
        }

        // Others may be waiting for this thread; the rest goes with the next contact.
        Kick();
    }

    private ValueTask<RateDecision> EnterColdAsync(long amount, long now)
    {
        if (amount <= 0)
        {
            return new(new RateDecision(true, Entry: -1));
        }

        if (amount > Definition.Limit)
        {
            return new(new RateDecision(false, TimeSpan.FromMilliseconds(rule.Window), Never: true));
        }

        return Volatile.Read(ref refusal) is { } known && known.Holds(amount, now)
            ? new(known.Decide(amount, now))
            : WaitAsync(amount, now);
    }

    /// <summary>How much to take ahead: what was used in the last second, at most a twentieth of the limit.</summary>
    private long Demand(long now, bool asked)
    {
        if (!asked || Volatile.Read(ref releasing) == 1 || clock is not { } known || ring is not { } uses)
        {
            return 0;
        }

        var bucket = rule.BucketOf(known.LatestAt(now));
        return Math.Min(Definition.Limit / 20, uses.Used(bucket - DemandBuckets, bucket));
    }

    private string KnownBorn(long now) => clock is { } known && ring is { } uses && uses.ToldAny(rule.ExpiredAt(known.LatestAt(now))) ? born : "";

    private void Compare(long now, WindowChunk? held)
    {
        corrections.Clear();
        returnsTold = Volatile.Read(ref returns);
        if (clock is not { } known || ring is null)
        {
            return;
        }

        var bucket = rule.BucketOf(known.LatestAt(now));
        ring.Advance(bucket);
        if (Interlocked.Exchange(ref debt, 0) is not 0 and var owed)
        {
            ring.Add(bucket, owed);
        }

        // The room first, the uses after: see UseRing.Differences.
        var room = held?.Room ?? 0;
        ring.Differences(rule.ExpiredAt(known.LatestAt(now)), held?.Bucket ?? 0, room, corrections);
    }

    /// <returns>Whether to go round again.</returns>
    private bool Take(WindowReply reply, WindowAsk ask, long sentMs)
    {
        if (reply.Status == RateStatus.Unreachable)
        {
            ring?.Doubt(corrections);
            // The old list belongs to the answer that may still come.
            corrections = [];
            Dirty(sentMs);
            RefuseAsUnavailable(Options.TimeoutMs);
            return false;
        }

        var known = new RateClock(reply.NowMs, sentMs);
        Volatile.Write(ref clock, known);
        if (reply.Status == RateStatus.Late)
        {
            return true;
        }

        if (reply.Status == RateStatus.Lost)
        {
            Logger.RateWindowLost(Definition.Owner, Definition.Kind.ToString());
            Interlocked.Exchange(ref chunk, null)?.Seal();
            ring?.ForgetTold();
            born = reply.Born;
            Volatile.Write(ref flush, 2);
            return true;
        }

        var now = NowMs;
        born = reply.Born;
        ring ??= new UseRing(rule, Options.HoldMs);
        ring.Advance(Math.Max(reply.Bucket, rule.BucketOf(known.LatestAt(now))));
        ring.Confirm(corrections);
        Volatile.Write(ref sum, reply.Sum);
        Volatile.Write(ref sumAtMs, now);
        if (reply.Status == RateStatus.Settling)
        {
            RefuseAsUnavailable(reply.WaitMs);
            return false;
        }

        if (reply.Granted > 0)
        {
            Adopt(reply, ask, known, ring);
        }

        if (reply.Granted >= ask.Need)
        {
            // A debt that came before Redis' clock was known is still to be told.
            return ask.Need > 0 || Volatile.Read(ref debt) != 0;
        }

        // Less than everybody needs: from here on it is known what is left and when more comes.
        Serve();
        var left = ask.Limit - reply.Sum + (Volatile.Read(ref chunk)?.Room ?? 0);
        var fresh = new WindowRefusal(left, reply.NowMs, now, reply.Uses, now + (long)Options.RefusalMemory.TotalMilliseconds, rule);
        if (ask.Limit == Definition.Limit && returnsTold == Volatile.Read(ref returns))
        {
            Volatile.Write(ref refusal, fresh);
        }

        Refuse(left, (fresh, now), static (state, amount) => state.fresh.Decide(amount, state.now));
        return true;
    }

    private void TakeLate(WindowReply reply, List<RateUse> asked, long sentMs)
    {
        lateReplies.Enqueue((reply, asked, sentMs));
        Volatile.Write(ref flush, 1);
        Kick();
    }

    /// <summary>What was granted when nobody waited any more goes back.</summary>
    private void HearLate()
    {
        while (lateReplies.TryDequeue(out var late))
        {
            var (reply, asked, sentMs) = late;
            if (reply.Status == RateStatus.Lost || (born.Length > 0 && reply.Born != born))
            {
                // Told again from the beginning, or about to be.
                continue;
            }

            clock ??= new RateClock(reply.NowMs, sentMs);
            ring ??= new UseRing(rule, Options.HoldMs);
            ring.Advance(reply.Bucket);
            ring.Settle(asked, taken: reply.Status != RateStatus.Late);
            if (reply.Granted > 0)
            {
                born = reply.Born;
                ring.Granted(reply.Bucket, reply.Granted);
            }
        }
    }

    private void Adopt(WindowReply reply, WindowAsk ask, RateClock at, UseRing uses)
    {
        uses.Granted(reply.Bucket, reply.Granted);
        var hold = reply.Granted > ask.Need ? Options.HoldMs : ask.ShortHoldMs;
        // Two milliseconds less: both clocks were cut to whole ones.
        var until = at.SentMs + hold - 2;
        slow = NowMs >= until;
        var fresh = new WindowChunk(reply.Granted, reply.Bucket, until, at, rule, uses, refillBelow: reply.Granted > ask.Need && ask.Extra > 1 ? (reply.Granted / 3) + 1 : 0);
        Interlocked.Exchange(ref chunk, fresh)?.Seal();
        if (reply.Granted > ask.Need)
        {
            // It will have been used earlier than the bucket says.
            Dirty(NowMs);
        }

        if (ask.Limit != Definition.Limit)
        {
            LimitChanged();
        }
    }

    private void Dirty(long now) => Interlocked.CompareExchange(ref dirtySinceMs, now, long.MaxValue);
}
