namespace Gateway.Edge.Admission.Budgets;

/// <summary>What is remembered of a window that has too little for everybody: from which amount it refuses, and whether other edges can spare any.</summary>
internal sealed class LeaseScarcity(string windowId, LeaseStore store, BudgetOptions options)
{
    /// <summary>How often others are asked for what they do not need, while somebody here waits for it.</summary>
    private const int RecallAgainAfterMilliseconds = 200;

    private long recallAgainAt;
    private long recallVainUntil;
    private long exhaustedUntil;
    private long exhaustedFrom;

    /// <summary>Whether it is worth asking others.</summary>
    public bool MayRecall => Environment.TickCount64 >= recallVainUntil;

    /// <summary>Whether Redis has just said that there is not so much left, and nothing under way could give it back.</summary>
    public bool Refuses(long least) => Environment.TickCount64 < Volatile.Read(ref exhaustedUntil) && least >= Volatile.Read(ref exhaustedFrom);

    /// <summary>From this amount on requests are refused for a moment, without asking Redis.</summary>
    public void RefuseFrom(long least)
    {
        Volatile.Write(ref exhaustedFrom, least);
        Volatile.Write(ref exhaustedUntil, Environment.TickCount64 + options.RefusalMemoryMilliseconds);
    }

    /// <summary>The limit is another.</summary>
    public void Forget() => Volatile.Write(ref exhaustedUntil, 0);

    /// <summary>Asks the other edges for what they do not need.</summary>
    public void Recall()
    {
        var now = Environment.TickCount64;
        if (now >= recallAgainAt && MayRecall)
        {
            recallAgainAt = now + RecallAgainAfterMilliseconds;
            store.Recall(windowId);
        }
    }

    /// <summary>They have none to spare: whoever comes next is not made to wait for it.</summary>
    public void RecallWasVain() => recallVainUntil = Environment.TickCount64 + (long)options.RecallMemory.TotalMilliseconds;
}
