using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Reconciliation;

/// <summary>
/// Comparisons that somebody asks for. A full one may take longer than any caller waits, and is not begun anew for that: it goes on when its
/// caller has left, and whoever asks meanwhile for a full one waits for the same.
/// </summary>
internal sealed class ReconciliationRuns(
    Reconciler reconciler, IHostApplicationLifetime lifetime, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<ReconciliationRuns> logger)
{
    private readonly Lock gate = new();
    private Task<ReconciliationReport>? full;

    /// <summary>The report; null while it is not there after <see cref="LedgerOptions.ReconcileAnswerAfter"/>.</summary>
    public async Task<ReconciliationReport?> RunAsync(bool whole, CancellationToken cancellation)
    {
        var run = whole ? Full() : StartAsync(whole: false);
        try
        {
            return await run.WaitAsync(options.Value.ReconcileAnswerAfter, clock, cancellation);
        }
        catch (TimeoutException) when (!run.IsCompleted)
        {
            return null;
        }
    }

    private Task<ReconciliationReport> Full()
    {
        lock (gate)
        {
            return full = full is { IsCompleted: false } ? full : StartAsync(whole: true);
        }
    }

    private async Task<ReconciliationReport> StartAsync(bool whole)
    {
        // Whoever asked need not be there any more when it fails.
        try
        {
            return await Task.Run(() => reconciler.RunAsync(whole, lifetime.ApplicationStopping));
        }
        catch (Exception error) when (error is not OutOfMemoryException && !lifetime.ApplicationStopping.IsCancellationRequested)
        {
            logger.ComparisonFailed(error);
            throw;
        }
    }
}
