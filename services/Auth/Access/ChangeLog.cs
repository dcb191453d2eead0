using Gateway.Contracts;

namespace Gateway.Auth.Access;

/// <summary>What a reader gets: changes after the last that it saw, or word that it must forget everything.</summary>
/// <param name="Changes">In order and without a gap; empty when there is nothing new.</param>
/// <param name="WasTooOld">Whether the reader cannot be told one by one: <paramref name="Changes"/> is then one line that says so.</param>
internal readonly record struct ChangesRead(IReadOnlyList<AccessChange> Changes, bool WasTooOld);

/// <summary>
/// The last changes in memory, filled from the database by <see cref="ChangeFeed"/> and read by every connected edge. Bounded: a reader
/// that is further behind is told to forget everything, which is always right and only costs it a few questions.
/// </summary>
internal sealed class ChangeLog
{
    public const int Capacity = 10_000;

    private readonly Lock gate = new();
    private readonly Queue<AccessChange> kept = new();
    private TaskCompletionSource grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long floor;
    private long last;

    /// <summary>The number of the last change; 0 before the first look at the database.</summary>
    public long Last
    {
        get
        {
            lock (gate)
            {
                return last;
            }
        }
    }

    /// <summary>Starts anew: every change after <paramref name="from"/> will be appended. Readers that stand elsewhere forget everything.</summary>
    public void Reset(long from)
    {
        lock (gate)
        {
            kept.Clear();
            (floor, last) = (from, from);
            Wake();
        }
    }

    public void Append(IReadOnlyList<AccessChange> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        lock (gate)
        {
            foreach (var change in changes)
            {
                if (change.Sequence != last + 1)
                {
                    throw new InvalidOperationException($"Change {change.Sequence} does not follow {last}.");
                }

                kept.Enqueue(change);
                last = change.Sequence;
                if (kept.Count > Capacity)
                {
                    floor = kept.Dequeue().Sequence;
                }
            }

            Wake();
        }
    }

    /// <summary>What came after <paramref name="after"/>, at most <paramref name="max"/> lines.</summary>
    public ChangesRead ReadAfter(long after, int max)
    {
        lock (gate)
        {
            // A number above the last is from a database that is no more.
            return after < floor || after > last
                ? new ChangesRead([new AccessChange(last, AccessChangeKind.Everything, null)], true)
                : new ChangesRead(after == last ? [] : [.. kept.Skip((int)(after - floor)).Take(max)], false);
        }
    }

    /// <summary>Completes when something is there after <paramref name="after"/>.</summary>
    public Task WaitAsync(long after)
    {
        lock (gate)
        {
            return after == last ? grown.Task : Task.CompletedTask;
        }
    }

    /// <summary>
    /// Waits until this process has seen change <paramref name="sequence"/>, at most <paramref name="atMost"/>: a reader that comes from another
    /// process may be a few milliseconds ahead of this one.
    /// </summary>
    public async Task CatchUpAsync(long sequence, TimeSpan atMost, TimeProvider clock, CancellationToken cancellation)
    {
        using var end = new CancellationTokenSource(atMost, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellation);
        try
        {
            for (var seen = Last; seen < sequence; seen = Last)
            {
                await WaitAsync(seen).WaitAsync(stop.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // There is no such change: the reader knows another database.
        }
    }

    private void Wake()
    {
        var woken = grown;
        grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        woken.SetResult();
    }
}
