using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// The definition in force of one window, and whether Redis and Ledger have heard of it: a change reaches both, whichever edge held the window
/// when it was made.
/// </summary>
internal sealed class LeaseTerms(BudgetWindow window, BudgetDefinition definition, LedgerClient ledger, EdgeIdentity identity, BudgetOptions options, TimeProvider time)
{
    /// <summary>How long to wait before Ledger is asked again that did not answer.</summary>
    private const int AgainAfterMilliseconds = 10_000;

    private readonly Lock gate = new();
    private BudgetDefinition definition = definition;
    private bool mustEnsure;
    private bool mustLook;
    private long ensureAgainAt;
    private long toldRevision = -1;
    private int telling;
    private long tellAgainAt;
    private DateTimeOffset? increaseEnded;

    public BudgetDefinition Definition => Volatile.Read(ref definition);

    /// <summary>Redis has the limit of an older definition: Ledger must hear of the newer one before more is spent.</summary>
    public bool EnsureDue => Volatile.Read(ref mustEnsure) && Environment.TickCount64 >= ensureAgainAt;

    /// <summary>Takes a newer definition. True when its limit is another: then it must be seen at once whether Redis has it.</summary>
    public bool Replace(BudgetDefinition newer)
    {
        lock (gate)
        {
            if (newer.Revision <= definition.Revision)
            {
                return false;
            }

            var sameLimit = newer.Limit == definition.Limit && newer.Increase == definition.Increase && newer.IncreaseUntil == definition.IncreaseUntil;
            Volatile.Write(ref definition, newer);
            // With the same limit nothing hurries: Ledger hears of it after the next word of Redis, and no request waits for that.
            mustLook |= !sameLimit;
            return !sameLimit;
        }
    }

    /// <summary>Whether Redis must be asked which limit it has; asked once for each change.</summary>
    public bool TakeLook()
    {
        lock (gate)
        {
            var look = mustLook;
            mustLook = false;
            return look;
        }
    }

    /// <summary>Whether a raise of the limit has ended since this was asked last.</summary>
    public bool IncreaseHasEnded(DateTimeOffset now)
    {
        var ends = Definition.IncreaseUntil;
        if (ends is null || now < ends || increaseEnded == ends)
        {
            return false;
        }

        increaseEnded = ends;
        return true;
    }

    /// <summary>
    /// Compares what Redis has. When it is older, Ledger must hear of the newer definition: before anything is spent when the limit is another,
    /// else beside the requests.
    /// </summary>
    public void Compare(LeaseReply reply)
    {
        var newest = Definition;
        if (reply.Revision >= newest.Revision || toldRevision >= newest.Revision)
        {
            return;
        }

        if (reply.Limit != newest.LimitAt(time.GetUtcNow()).NanoDollars)
        {
            Volatile.Write(ref mustEnsure, true);
        }
        else if (Environment.TickCount64 >= Volatile.Read(ref tellAgainAt) && Interlocked.Exchange(ref telling, 1) == 0)
        {
            _ = Task.Run(() => TellAsync(reply.GrantedInAll));
        }
    }

    /// <summary>Has Ledger install the window with the newest definition; false when it did not answer.</summary>
    /// <param name="granted">What this edge holds.</param>
    /// <param name="isOpen">Whether Redis knew the window once: then requests go on meanwhile, and Ledger is not asked each time.</param>
    public async Task<bool> EnsureAsync(long granted, bool isOpen)
    {
        Volatile.Write(ref mustEnsure, false);
        if (await AskLedgerAsync(granted))
        {
            return true;
        }

        Volatile.Write(ref mustEnsure, true);
        ensureAgainAt = isOpen ? Environment.TickCount64 + AgainAfterMilliseconds : 0;
        return false;
    }

    private async Task TellAsync(long granted)
    {
        Volatile.Write(ref tellAgainAt, Environment.TickCount64 + AgainAfterMilliseconds);
        try
        {
            await AskLedgerAsync(granted);
        }
        finally
        {
            Volatile.Write(ref telling, 0);
        }
    }

    private async Task<bool> AskLedgerAsync(long granted)
    {
        var newest = Definition;
        try
        {
            var ask = new EnsureBudget(newest, window, new Money(granted));
            using var timeout = new CancellationTokenSource(options.LedgerTimeout);
            await ledger.EnsureAsync(new EnsureBudgets(identity.EdgeId, [ask]), timeout.Token);
            toldRevision = Math.Max(toldRevision, newest.Revision);
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            return false;
        }
    }
}
