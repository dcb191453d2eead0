using System.Collections.Concurrent;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using StackExchange.Redis;

namespace Gateway.Ledger.Leases;

/// <summary>
/// Tells Redis what the journal has booked: totals, so that several transactions on one window become one script, and a repeat is
/// harmless. Redis away: kept (one entry for each window) and tried again. Lost with the process: <see cref="LeasePass"/> finds windows
/// whose version lags behind the database.
/// </summary>
internal sealed class PostedTotals(LeaseStore store, LedgerMetrics metrics, TimeProvider clock, ILogger<PostedTotals> logger)
    : BackgroundJob(clock, logger, Pause)
{
    private const int WindowsMax = 100_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, PostedWindow> untold = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim signal = new(0, 1);

    /// <summary>Hands over new totals; returns at once. At the bound the totals are left to the pass.</summary>
    public void Tell(IEnumerable<PostedWindow> windows)
    {
        foreach (var window in windows)
        {
            if (untold.Count < WindowsMax || untold.ContainsKey(window.WindowId))
            {
                untold.AddOrUpdate(window.WindowId, window, (_, known) => Newest(known, window));
            }
        }

        if (signal.CurrentCount == 0)
        {
            try
            {
                signal.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else woke the loop in between.
            }
        }
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await signal.WaitAsync(stoppingToken);
        while (!await TellAllAsync())
        {
            await Task.Delay(Pause, Clock, stoppingToken);
        }
    }

    private async Task<bool> TellAllAsync()
    {
        var told = await Task.WhenAll(untold.Keys.Select(TellAsync));
        return Array.TrueForAll(told, done => done);
    }

    private async Task<bool> TellAsync(string windowId)
    {
        if (!untold.TryRemove(windowId, out var window))
        {
            return true;
        }

        try
        {
            await store.PostAsync(window.WindowId, window.Spent, window.Version, window.Posted);
            return true;
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            untold.AddOrUpdate(windowId, window, (_, newer) => Newest(newer, window));
            metrics.RedisFailed("post");
            logger.RedisNotTold(windowId, error.GetType().Name);
            return false;
        }
    }

    private static PostedWindow Newest(PostedWindow left, PostedWindow right)
    {
        var (older, newer) = left.Version <= right.Version ? (left, right) : (right, left);
        var posted = new Dictionary<string, long>(older.Posted, StringComparer.Ordinal);
        foreach (var (edge, total) in newer.Posted)
        {
            posted[edge] = total;
        }

        return newer with { Posted = posted };
    }
}
