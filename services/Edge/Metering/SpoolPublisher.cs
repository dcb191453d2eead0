using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Metering;

/// <summary>
/// Sends the spool's records to RabbitMQ in batches. A batch is forgotten only when the broker has confirmed it; what is not confirmed is
/// sent again, by this process or the next one. Receivers know a record by its request id.
/// </summary>
internal sealed class SpoolPublisher(
    Spool spool, IBus bus, LedgerClient ledger, BudgetLeases leases, EdgeIdentity identity, IOptions<SpoolOptions> options, EdgeLog log, EdgeMetrics metrics)
    : BackgroundService
{
    private static readonly TimeSpan PublishTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseAgainAfter = TimeSpan.FromSeconds(5);

    private long lastPublished;
    private long closeAgainAt;
    private long adoptAt;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);

        // The server has stopped by now: what is in the spool is all there will be.
        using var timeout = new CancellationTokenSource(options.Value.DrainTimeout);
        try
        {
            while (await PublishOnceAsync(timeout.Token) > 0)
            {
            }

            await leases.ReleaseAllAsync();
            if (spool.Pending == 0)
            {
                await ledger.CloseEdgeAsync(identity.EdgeId, timeout.Token);
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            log.SpoolDrainFailed(spool.Pending, error);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var flusher = FlushAsync(stoppingToken);

        // Not at once: replicas that are started together each take a folder of their own first.
        adoptAt = AdoptAgain();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var published = await PublishOnceAsync(stoppingToken);
                await CloseRecoveredAsync(stoppingToken);
                if (Adopt())
                {
                    continue;
                }

                if (published == 0)
                {
                    await spool.Written.WaitAsync(TimeSpan.FromSeconds(1), stoppingToken);
                }

                // More is coming when the last batch is only just gone: let it gather.
                if (Environment.TickCount64 - lastPublished < options.Value.Linger.TotalMilliseconds * 2)
                {
                    await spool.GatherAsync(stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                log.SpoolPublishFailed(spool.Pending, error);
                metrics.SpoolPublishFailed();
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await flusher;
    }

    /// <summary>How many records were sent.</summary>
    private async Task<int> PublishOnceAsync(CancellationToken cancellation)
    {
        var batch = spool.Collect();
        if (batch.Parts.Count == 0)
        {
            return 0;
        }

        if (batch.DamagedBytes > 0)
        {
            log.SpoolDamaged(batch.DamagedBytes);
        }

        if (batch.Records > 0)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(PublishTimeout);
            await bus.Publish(
                new UsageRecorded { EdgeId = identity.EdgeId, Count = batch.Records, Records = batch.Pack(), Packing = UsageBatch.Zlib },
                // What no queue takes comes back as a failure, and the records stay in the spool.
                static sending => sending.Mandatory = true,
                timeout.Token);
            lastPublished = Environment.TickCount64;
        }

        spool.Confirm(batch);
        return batch.Records;
    }

    /// <summary>Tells Ledger of earlier processes of which nothing is left here: what they still hold is free.</summary>
    private async Task CloseRecoveredAsync(CancellationToken cancellation)
    {
        if (Environment.TickCount64 < closeAgainAt)
        {
            return;
        }

        foreach (var folder in spool.Folders)
        {
            foreach (var edge in folder.EarlierEdges.Where(edge => !folder.StillHasRecordsOf(edge)).ToArray())
            {
                try
                {
                    await ledger.CloseEdgeAsync(edge, cancellation);
                    folder.Forget(edge);
                }
                catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
                {
                    // What it held is not free before; records do not wait for it.
                    closeAgainAt = Environment.TickCount64 + (long)CloseAgainAfter.TotalMilliseconds;
                    log.EdgeCloseFailed(edge, error);
                    return;
                }
            }
        }
    }

    /// <summary>Whether there is something to send that was not here before.</summary>
    private bool Adopt()
    {
        if (Environment.TickCount64 < adoptAt)
        {
            return false;
        }

        adoptAt = AdoptAgain();
        var taken = spool.Adopt();
        foreach (var folder in taken)
        {
            log.SpoolAdopted(folder.Path, folder.Segments.Count);
        }

        return taken.Count > 0;
    }

    private long AdoptAgain() => Environment.TickCount64 + (long)options.Value.AdoptAfter.TotalMilliseconds;

    private async Task FlushAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(options.Value.FlushInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                try
                {
                    spool.Flush();
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    // What nobody foresaw must not be the last time that anything is brought to the disk.
                    log.LoopFailed(nameof(SpoolPublisher), error);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        spool.Flush();
    }
}
