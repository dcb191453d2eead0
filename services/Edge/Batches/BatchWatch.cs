using System.Collections.Concurrent;
using System.Threading.Channels;
using Gateway.Contracts;
using Gateway.Edge.Files;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Batches;

/// <summary>
/// Looks at batches until they are over and settled. Ledger gives each to one edge at a time; an edge that dies leaves its share to the others.
/// A batch that nobody can say the cost of is given up after <see cref="BatchOptions.GiveUpAfter"/>, in sight: it stays charged at its estimate.
/// </summary>
internal sealed class BatchWatch(
    BatchRegistry batches, BatchLook look, BatchSettlement settlement, ProviderStore providers, RoutingTables tables, IOptions<BatchOptions> options, EdgeLog log,
    TimeProvider time) : BackgroundService
{
    private const int ClaimedAtOnce = 20;

    private readonly Channel<string> soon = Channel.CreateBounded<string>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentQueue<(string Id, BatchChange Change)> untold = new();

    /// <summary>How often each batch is looked at.</summary>
    public TimeSpan Every => options.Value.LookEvery;

    /// <summary>A client has seen that a batch is over: it is settled without waiting for its time.</summary>
    public void LookSoon(string batchId) => soon.Writer.TryWrite(batchId);

    /// <summary>Tells Ledger that a provider has taken a batch; while it does not answer, again with every look.</summary>
    public async Task TellAsync(string batchId, BatchChange change, CancellationToken cancellation)
    {
        try
        {
            await batches.ChangeAsync(batchId, change, cancellation);
        }
        catch (RegistryAwayException away)
        {
            log.BatchUntold(batchId, away);
            untold.Enqueue((batchId, change));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Twice as often as a batch's time comes: none waits long for an edge to ask, and Ledger's database is left alone.
        var pause = Every / 2;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await PassAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                // Ledger is away, or what nobody foresaw: an edge does not end for it.
                log.BatchesUnknown(failure);
            }

            using var wait = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            wait.CancelAfter(pause);
            await ((Task)soon.Reader.WaitToReadAsync(wait.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PassAsync(CancellationToken cancellation)
    {
        if (tables.Loaded is null)
        {
            return;
        }

        while (untold.TryPeek(out var told))
        {
            await batches.ChangeAsync(told.Id, told.Change, cancellation);
            untold.TryDequeue(out _);
        }

        while (soon.Reader.TryRead(out var id))
        {
            await LookAsync(await batches.ClaimAsync(new ClaimBatches(1, Every, id), cancellation), cancellation);
        }

        ProviderBatch[] claimed;
        do
        {
            claimed = await batches.ClaimAsync(new ClaimBatches(ClaimedAtOnce, Every), cancellation);
            await LookAsync(claimed, cancellation);
        }
        while (claimed.Length == ClaimedAtOnce);
    }

    private async Task LookAsync(ProviderBatch[] claimed, CancellationToken cancellation)
    {
        foreach (var batch in claimed)
        {
            string? why;
            try
            {
                why = await LookAsync(batch, cancellation);
            }
            catch (Exception failure) when (failure is not (RegistryAwayException or OutOfMemoryException) && !cancellation.IsCancellationRequested)
            {
                // Whatever one provider says of one batch, the others are looked at.
                why = failure.GetType().Name;
                log.BatchLookFailed(batch.Id, failure);
            }

            if (why is not null && batch.State != BatchState.Unresolved && time.GetUtcNow() - batch.CreatedAt > options.Value.GiveUpAfter)
            {
                await settlement.GiveUpAsync(batch, cancellation);
                log.BatchUnresolved(batch.Id, batch.ProviderId ?? "none", batch.DeploymentId, why);
            }
        }
    }

    /// <summary>Looks at one; why it is not settled, or null when it is.</summary>
    private async Task<string?> LookAsync(ProviderBatch batch, CancellationToken cancellation)
    {
        if (providers.Of(batch) is not { } target || target.StoreAddress("batches") is null)
        {
            return "its deployment is not in the configuration any more";
        }

        if (batch.ProviderId is null)
        {
            return await FindAsync(batch, target, cancellation);
        }

        var (seen, error) = await look.AskAsync(batch, target, HttpMethod.Get, "", cancellation);
        return seen is null ? error!.Code
            : !seen.IsOver ? "the provider says that it is not over"
            : await settlement.TryAsync(batch, target, seen, cancellation) ? null
            : "its output cannot be read as a whole";
    }

    // No answer came to its submission, or its edge died meanwhile.
    private async Task<string?> FindAsync(ProviderBatch batch, Deployment target, CancellationToken cancellation)
    {
        var (id, answer, error) = await look.FindAsync(batch, target, cancellation);
        if (error is not null)
        {
            return error.Code;
        }

        if (id is not null)
        {
            await settlement.AdoptAsync(batch, id, BatchLook.Of(answer!, batch).ToJsonString(EdgeJson.Writing.Options), cancellation);
            log.BatchFound(batch.Id);
        }
        else if (time.GetUtcNow() - batch.CreatedAt > options.Value.TakenWithin)
        {
            await settlement.ForgetAsync(batch, target, cancellation);
            log.BatchNeverTaken(batch.Id);
            return null;
        }

        return "the provider has only just been asked for it";
    }
}
