using System.Collections.Concurrent;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Admission.Access;

/// <summary>What a look-up of a key gave.</summary>
internal enum KeyState
{
    /// <summary>The caller is known.</summary>
    Known,

    /// <summary>Auth says that there is no such key.</summary>
    Unknown,

    /// <summary>Nobody can say: Auth does not answer.</summary>
    Unavailable,
}

/// <summary>
/// The keys that this edge has seen. A known key costs one hash and one look-up; Auth is asked only for one that is not here.
/// <see cref="AccessChanges"/> removes what changed. When Auth cannot be heard for longer than <c>max_stale</c> nothing here is believed.
/// </summary>
internal sealed class KeyCache(AuthClient auth, BudgetLeases leases, RateGates gates, ExpectationBook expectations, TimeProvider time, EdgeLog log)
{
    private const int EntriesMax = 200_000;
    private static readonly TimeSpan UnknownFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<KeyHash, Caller> callers = new();
    private readonly ConcurrentDictionary<KeyHash, long> unknown = new();
    private readonly ConcurrentDictionary<KeyHash, Lazy<Task<(KeyState, Caller?)>>> resolving = new();
    private long invalidations;
    private long forgotten;
    private long appliedUpTo;
    private long heardAt = Environment.TickCount64;

    /// <summary>How long keys are believed while Auth cannot be heard.</summary>
    public TimeSpan MaxStale { get; set; } = TimeSpan.FromMinutes(10);

    public int Count => callers.Count;

    /// <summary>Whether Auth was heard recently enough.</summary>
    public bool Believable => Environment.TickCount64 - Volatile.Read(ref heardAt) < MaxStale.TotalMilliseconds;

    /// <summary>The caller of a key that is known: the warm path.</summary>
    public bool TryGet(KeyHash key, out Caller? caller) => callers.TryGetValue(key, out caller) && Believable;

    /// <summary>Asks Auth, once for all who wait for the same key.</summary>
    public async Task<(KeyState State, Caller? Caller)> ResolveAsync(KeyHash hash, string key)
    {
        if (unknown.TryGetValue(hash, out var until))
        {
            if (Environment.TickCount64 < until)
            {
                return (KeyState.Unknown, null);
            }

            unknown.TryRemove(hash, out _);
        }

        var asking = resolving.GetOrAdd(hash, _ => new Lazy<Task<(KeyState, Caller?)>>(() => AskAsync(hash, key)));
        try
        {
            return await asking.Value;
        }
        finally
        {
            resolving.TryRemove(new KeyValuePair<KeyHash, Lazy<Task<(KeyState, Caller?)>>>(hash, asking));
        }
    }

    /// <summary>Auth was heard: what is here is up to date.</summary>
    public void Heard() => Volatile.Write(ref heardAt, Environment.TickCount64);

    /// <summary>
    /// Forgets what a change touches, and keeps what was asked for after it: the word of a new key may come later than the key's first request,
    /// and a known key must not be unknown again for it just when Auth goes away.
    /// </summary>
    public void Apply(AccessChange change)
    {
        if (change.Kind == AccessChangeKind.Heartbeat)
        {
            return;
        }

        Volatile.Write(ref appliedUpTo, Math.Max(appliedUpTo, change.Sequence));
        Interlocked.Increment(ref invalidations);
        unknown.Clear();
        if (change.Kind == AccessChangeKind.Everything)
        {
            Interlocked.Increment(ref forgotten);
            callers.Clear();
            return;
        }

        foreach (var (hash, caller) in callers)
        {
            var snapshot = caller.Snapshot;
            var touched = change.Kind switch
            {
                AccessChangeKind.Key => snapshot.KeyId == change.Id,
                AccessChangeKind.User => snapshot.UserId == change.Id,
                AccessChangeKind.Team => snapshot.TeamId == change.Id,
                AccessChangeKind.Organization => snapshot.OrganizationId == change.Id,
                _ => true,
            };
            if (touched && snapshot.Revision < change.Sequence)
            {
                callers.TryRemove(new KeyValuePair<KeyHash, Caller>(hash, caller));
            }
        }
    }

    private async Task<(KeyState, Caller?)> AskAsync(KeyHash hash, string key)
    {
        var (before, forgottenBefore) = (Volatile.Read(ref invalidations), Volatile.Read(ref forgotten));
        AccessSnapshot? snapshot;
        try
        {
            snapshot = await auth.ResolveAsync(key, CancellationToken.None);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            log.AuthUnavailable(error);
            return (KeyState.Unavailable, null);
        }

        if (snapshot is null)
        {
            if (Volatile.Read(ref invalidations) == before)
            {
                Bound(unknown);
                unknown[hash] = Environment.TickCount64 + (long)UnknownFor.TotalMilliseconds;
            }

            return (KeyState.Unknown, null);
        }

        var caller = new Caller(
            snapshot,
            [.. snapshot.Budgets.Select(budget => new BudgetSlot(budget, leases, time))],
            [.. snapshot.Limits.Select(limit => gates.Get(limit))],
            expectations,
            [.. snapshot.ModelBudgets.Select(budget => (budget.Model, new BudgetSlot(budget.Budget, leases, time)))]);
        Bound(callers);
        callers[hash] = caller;
        // What changed while Auth answered may not be in the answer: then it serves this one request and is not kept. Looked at after the
        // caller is there, so that a change that is applied in this moment either finds it or is seen here.
        if (Volatile.Read(ref forgotten) != forgottenBefore
            || (Volatile.Read(ref invalidations) != before && snapshot.Revision < Volatile.Read(ref appliedUpTo)))
        {
            callers.TryRemove(new KeyValuePair<KeyHash, Caller>(hash, caller));
        }

        return (KeyState.Known, caller);
    }

    // At the bound everything is forgotten and learned again: rare, and no bookkeeping on the warm path.
    private static void Bound<T>(ConcurrentDictionary<KeyHash, T> entries)
    {
        if (entries.Count >= EntriesMax)
        {
            entries.Clear();
        }
    }
}
