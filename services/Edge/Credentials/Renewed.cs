namespace Gateway.Edge.Credentials;

/// <summary>What lets its owner into a store and ends: fetched when it is needed, once for all who need it, and again before its end.</summary>
/// <param name="fetch">Fetches it; says from when on it is fetched again.</param>
/// <param name="time">The clock.</param>
internal sealed class Renewed<T>(Func<Task<(T Value, DateTimeOffset RenewAt)>> fetch, TimeProvider time)
    where T : class
{
    private readonly Lock gate = new();
    private (T Value, DateTimeOffset RenewAt)? known;
    private Task<T>? underWay;

    /// <summary>The one of now.</summary>
    /// <param name="refused">One that the store has refused although its time is not over; null for none.</param>
    /// <param name="cancellation">Ends the waiting, and not the fetch: others wait for it too.</param>
    /// <exception cref="SecretUnavailableException">None can be had.</exception>
    public async Task<T> GetAsync(T? refused, CancellationToken cancellation)
    {
        Task<T> fetched;
        lock (gate)
        {
            if (known is { } one && one.Value != refused && one.RenewAt > time.GetUtcNow())
            {
                return one.Value;
            }

            fetched = underWay ??= FetchAsync();
        }

        return await fetched.WaitAsync(cancellation);
    }

    private async Task<T> FetchAsync()
    {
        // The caller has to note the task before it can end.
        await Task.Yield();
        (T Value, DateTimeOffset RenewAt)? fetched = null;
        try
        {
            fetched = await fetch();
            return fetched.Value.Value;
        }
        finally
        {
            lock (gate)
            {
                (known, underWay) = (fetched, null);
            }
        }
    }
}
