using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Files;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Batches;

/// <summary>
/// Charges a batch that is over what it cost: its output is read line by line, the correction goes into the spool, and then the batch is
/// settled. In that order: an edge that dies between the two leaves a batch that is settled once more, with the same record.
/// </summary>
internal sealed class BatchSettlement(ProviderStore providers, BatchRegistry batches, Spool spool, EdgeMetrics metrics)
{
    /// <summary>The longest line: an answer of the largest model, or vectors of many texts.</summary>
    private const int LineBytesMax = 64 << 20;

    private const int PieceBytes = 64 * 1024;

    /// <summary>How long the whole output may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    /// <summary>Settles it; false when what it cost cannot be learned now, and it stays at its estimate until then.</summary>
    public async Task<bool> TryAsync(ProviderBatch batch, Deployment target, SeenBatch seen, CancellationToken cancellation)
    {
        if (spool.Full)
        {
            return false;
        }

        var used = new BatchOutput(target.Price, batch.Lines);
        if (seen.OutputFile is { } file && !await ReadAsync(target, file, used, cancellation))
        {
            return false;
        }

        // An output that lacks lines is never taken for lines that cost nothing.
        if (used.Answered < seen.Completed)
        {
            return false;
        }

        await CorrectAsync(batch, used, target, seen.Status, cancellation);
        return true;
    }

    /// <summary>
    /// The provider has a batch whose submission was not answered: its estimate is charged now, if it was not. The record is the one of its
    /// submission, to the letter: whichever of the two comes first is booked, and its edge's lease was charged for it.
    /// </summary>
    public async Task AdoptAsync(ProviderBatch batch, string providerId, string answer, CancellationToken cancellation)
    {
        spool.Append(batch.Submission);
        await batches.ChangeAsync(batch.Id, new BatchChange(BatchState.Open, providerId, answer), cancellation);
    }

    /// <summary>The provider never had a batch whose submission was not answered: whether or not its estimate was charged, nothing is in the end.</summary>
    public Task ForgetAsync(ProviderBatch batch, Deployment target, CancellationToken cancellation)
    {
        Charge(batch);
        return CorrectAsync(batch, new BatchOutput(target.Price, batch.Lines), target, "never_taken", cancellation);
    }

    /// <summary>Nobody can say what it cost: it is charged its estimate, for a person to look at.</summary>
    public async Task GiveUpAsync(ProviderBatch batch, CancellationToken cancellation)
    {
        Charge(batch);
        await batches.ChangeAsync(batch.Id, new BatchChange(BatchState.Unresolved), cancellation);
        metrics.BatchUnresolved(batch.Model);
    }

    // The record of its submission, which is booked once. What its edge wrote has come long before. If it wrote none, no lease was charged: an edge
    // for which more is booked than it charged would seem to hold less than it does, and others would be given that.
    private void Charge(ProviderBatch batch) => spool.Append(batch.Submission with { EdgeId = "" });

    private async Task CorrectAsync(ProviderBatch batch, BatchOutput used, Deployment target, string status, CancellationToken cancellation)
    {
        var record = BatchCorrection.Of(batch.Submission, used, target.Price);
        spool.Append(record);
        // A counter cannot go back: it has the cost once it is known.
        metrics.Used(record with { Cost = batch.Submission.Cost + record.Cost });
        await batches.ChangeAsync(batch.Id, new BatchChange(BatchState.Settled), cancellation);
        metrics.BatchSettled(batch.Model, status);
    }

    private async Task<bool> ReadAsync(Deployment target, string file, BatchOutput used, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        using var reply = await providers.SendAsync(target, HttpMethod.Get, $"files/{Uri.EscapeDataString(file)}/content", null, limit.Token);
        if (!reply.IsSuccessStatusCode)
        {
            return false;
        }

        await using var body = await UpstreamClient.OpenAsync(reply.Content, limit.Token);
        using var lines = new LinesReader(LineBytesMax);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int read;
            while ((read = await body.ReadAsync(buffer, limit.Token)) > 0)
            {
                lines.Append(buffer.AsSpan(0, read));
                Take(lines, used);
            }

            TakeLast(lines, used);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Take(LinesReader lines, BatchOutput used)
    {
        while (lines.TryRead(out var line))
        {
            if (line.HasData)
            {
                used.Take(line.Data);
            }
        }
    }

    private static void TakeLast(LinesReader lines, BatchOutput used)
    {
        if (lines.TryReadLast(out var line) && line.HasData)
        {
            used.Take(line.Data);
        }
    }
}
