using System.Collections.Concurrent;

namespace Gateway.Ledger.Edges;

/// <summary>
/// The messages of usage records that this process has taken from the queue and not booked yet. The queue hands out many at once: the word
/// that an edge is closed overtakes those before it, and must wait for them.
/// </summary>
internal sealed class MessagesUnderWay
{
    private readonly ConcurrentDictionary<Task, bool> underWay = new();

    /// <summary>Does the work of one message.</summary>
    public async Task RunAsync(Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        underWay[done.Task] = true;
        try
        {
            await work();
        }
        finally
        {
            underWay.TryRemove(done.Task, out _);
            done.SetResult();
        }
    }

    /// <summary>Returns when every message that is under way now has ended.</summary>
    public Task AllDoneAsync(CancellationToken cancellation) => Task.WhenAll(underWay.Keys).WaitAsync(cancellation);
}
