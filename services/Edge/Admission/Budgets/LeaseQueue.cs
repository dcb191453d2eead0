namespace Gateway.Edge.Admission.Budgets;

/// <summary>Requests that wait for room of one window: who is served, who goes on waiting and who is refused. First come, first served.</summary>
internal sealed class LeaseQueue(LeaseRoom room)
{
    private readonly Lock gate = new();
    private readonly List<LeaseWaiter> waiters = [];
    private bool closed;

    /// <summary>Whether somebody waits.</summary>
    public bool Any => waiters.Count > 0;

    /// <summary>False when it is closed: nobody would serve the waiter here.</summary>
    public bool Join(LeaseWaiter waiter)
    {
        lock (gate)
        {
            if (!closed)
            {
                waiters.Add(waiter);
            }

            return !closed;
        }
    }

    /// <summary>Closes it, and the room, when nobody waits and nothing is in the room.</summary>
    public bool TryClose()
    {
        lock (gate)
        {
            return closed = waiters.Count == 0 && room.TryClose();
        }
    }

    /// <summary>What those who wait need: all they want, and the least for as many of them as fit into what is available.</summary>
    /// <param name="available">What Redis has; null when that is not known.</param>
    /// <param name="ahead">The room wanted ahead of requests.</param>
    public (long Want, long Least, int Count) Needed(long? available, long ahead)
    {
        lock (gate)
        {
            if (waiters.Count == 0)
            {
                return default;
            }

            var roomNow = Math.Max(0, room.Free);
            long want = 0, least = 0;
            foreach (var waiter in waiters)
            {
                var cost = waiter.Estimate();
                want = Add(want, cost.Want);
                if (least == 0 || (available is { } left && Add(least, cost.Least) <= left))
                {
                    least = Add(least, Math.Max(1, cost.Least));
                }
            }

            least = Math.Max(1, least - roomNow);
            return (Math.Max(least, Add(want, ahead) - roomNow), least, waiters.Count);
        }
    }

    /// <summary>The worst case for each while there is plenty, what is expected when it is tight.</summary>
    public void Serve(bool tight)
    {
        lock (gate)
        {
            for (var i = 0; i < waiters.Count; i++)
            {
                var waiter = waiters[i];
                var cost = waiter.Estimate();
                if (tight && !cost.Learned && room.UnderWay > 0 && Environment.TickCount64 < waiter.Deadline(cost))
                {
                    // Near the limit a guess is not worth more than a look: one request runs first and teaches what its kind costs.
                    continue;
                }

                var amount = Math.Max(1, tight ? Math.Min(cost.Least, cost.Want) : cost.Want);
                if (waiter.Extends ? room.TryTake(amount, out _) : room.TryReserve(amount, out _))
                {
                    waiter.Serve(new LeaseHold(amount, Guarded: amount < cost.Want));
                    waiters.RemoveAt(i--);
                }
                else if (!tight)
                {
                    return;
                }
            }
        }
    }

    /// <summary>
    /// A guess alone refuses nobody: when nothing is under way, the first request of which nothing was learned comes first, content with what
    /// there is, and teaches what its kind costs. False when there is none such.
    /// </summary>
    public bool TryProbe(long available)
    {
        lock (gate)
        {
            var left = available + room.Free;
            if (left <= 0 || room.UnderWay > 0)
            {
                return false;
            }

            // Crumbs that do not pay for reading its prompt would be written off, and teach nothing that is worth it.
            var index = waiters.FindIndex(waiter => waiter.Estimate() is { Learned: false } cost && cost.Prompt <= left);
            if (index < 0 || waiters[index].Estimate().Least <= left)
            {
                return false;
            }

            var probe = waiters[index];
            probe.Contents(left);
            waiters.RemoveAt(index);
            waiters.Insert(0, probe);
            return true;
        }
    }

    /// <summary>Refuses those for whom nothing can be hoped, or whose time is over; the least that one of them needed, null for nobody.</summary>
    /// <param name="available">What Redis has.</param>
    /// <param name="mine">What requests under way held here when Redis was asked.</param>
    /// <param name="others">What other edges held then.</param>
    /// <param name="recalling">Whether other edges were asked for what they do not need: they answer at once.</param>
    public long? RefuseHopeless(long available, long mine, long others, bool recalling)
    {
        var now = Environment.TickCount64;
        var left = available + Math.Max(0, room.Free);
        long? leastRefused = null;
        lock (gate)
        {
            for (var i = 0; i < waiters.Count; i++)
            {
                var cost = waiters[i].Estimate();
                // Requests under way may give back what they do not need: worth a short wait, unless all of it is expected to be used.
                var overReserved = mine - (room.UnderWay * cost.Least);
                // While nothing is known of its kind there is hope as long as anybody holds anything: the request that finds out may hold it all.
                var hope = cost.Learned ? mine > 0 && overReserved + left >= cost.Least : mine > 0 || others > 0;
                if ((recalling && now < waiters[i].RecallDeadline) || (hope && now < waiters[i].Deadline(cost)))
                {
                    continue;
                }

                leastRefused = Math.Min(leastRefused ?? long.MaxValue, cost.Least);
                waiters[i].Serve(new LeaseHold(0, false, LeaseRefusal.Exceeded));
                waiters.RemoveAt(i--);
            }
        }

        return leastRefused;
    }

    /// <summary>Refuses those whose time is over before the window is rebuilt.</summary>
    public void RefuseLate(long retryAfter)
    {
        var now = Environment.TickCount64;
        lock (gate)
        {
            for (var i = 0; i < waiters.Count; i++)
            {
                if (now + retryAfter > waiters[i].RebuildDeadline)
                {
                    waiters[i].Serve(new LeaseHold(0, false, LeaseRefusal.Unavailable, retryAfter));
                    waiters.RemoveAt(i--);
                }
            }
        }
    }

    /// <summary>Nobody can say what is left: whoever the room here does not serve is told so.</summary>
    public void RefuseAll(long retryAfter)
    {
        Serve(tight: true);
        Abandon(retryAfter);
    }

    /// <summary>All are told that nobody can say what is left, and nothing else is done: something has failed here.</summary>
    public void Abandon(long retryAfter)
    {
        lock (gate)
        {
            foreach (var waiter in waiters)
            {
                waiter.Serve(new LeaseHold(0, false, LeaseRefusal.Unavailable, retryAfter));
            }

            waiters.Clear();
        }
    }

    private static long Add(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
