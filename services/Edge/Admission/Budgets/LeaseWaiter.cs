namespace Gateway.Edge.Admission.Budgets;

/// <summary>One request that waits for room, and how long it may.</summary>
/// <param name="estimate">What it may cost. Asked again after every wait: what is expected is learned meanwhile.</param>
/// <param name="options">How long requests may wait.</param>
/// <param name="extends">Whether it is a request under way that needs more.</param>
internal sealed class LeaseWaiter(Func<CostEstimate> estimate, BudgetOptions options, bool extends)
{
    private long since = Environment.TickCount64;
    private readonly TaskCompletionSource<LeaseHold> served = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? contentWith;
    private bool guessed;

    /// <summary>Whether it is a request under way that needs more.</summary>
    public bool Extends { get; } = extends;

    /// <summary>Until when it may wait for what other edges give back.</summary>
    public long RecallDeadline => since + (long)options.Wait.TotalMilliseconds;

    /// <summary>Until when it may wait for a window that is being rebuilt, as after a restart of everything.</summary>
    public long RebuildDeadline => since + (long)options.RebuildWait.TotalMilliseconds;

    public Task<LeaseHold> Task => served.Task;

    /// <summary>Until when it may wait: longer while nothing is known of its kind and another one is finding out.</summary>
    public long Deadline(CostEstimate cost) => since + (long)(cost.Learned ? options.Wait : options.LearnWait).TotalMilliseconds;

    public CostEstimate Estimate()
    {
        var cost = estimate();
        if (guessed && cost.Learned)
        {
            // The time in which another one found out what it costs is not the time in which others settle.
            since = Environment.TickCount64;
        }

        guessed = !cost.Learned;
        return contentWith is { } least && !cost.Learned ? cost with { Least = least } : cost;
    }

    /// <summary>While nothing is learned of its kind it runs with so much.</summary>
    public void Contents(long least) => contentWith = least;

    public void Serve(LeaseHold hold) => served.TrySetResult(hold);
}
