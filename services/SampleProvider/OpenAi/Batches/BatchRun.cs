using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>Runs one batch from its validation to its end. Its requests are answered by the routes that answer them one by one, without HTTP.</summary>
internal sealed class BatchRun(Batch batch, Surface surface, FileStore files, CancellationToken stopping)
{
    private readonly BatchOutput output = new();

    public async Task Run()
    {
        // 1. Validate.
        await batch.Hold(BatchStatus.Validating, stopping);
        var input = BatchInput.Read(batch.Input, surface.Path);
        if (batch.Script.Fail is { } code)
        {
            input.Errors.Insert(0, new(code, "The sample provider was told to fail this batch."));
        }

        if (input.Errors.Count > 0 && batch.Advance(it => it with { Status = BatchStatus.Failed, FailedAt = Batch.Now, Errors = new([.. input.Errors]) }))
        {
            return;
        }

        // 2. Answer line by line, as far as time and the owner let it.
        batch.Advance(it => it with
        {
            Status = BatchStatus.InProgress, InProgressAt = Batch.Now, Model = input.Model, RequestCounts = new(input.Lines.Count, 0, 0),
        });
        var done = await Answer(input.Lines);

        // 3. Write down what there is.
        if (batch.Advance(static it => it with { Status = BatchStatus.Finalizing, FinalizingAt = Batch.Now }))
        {
            await batch.Hold(BatchStatus.Finalizing, stopping);
        }

        // 4. End: without its files when it was cancelled meanwhile, for those wait for the hold.
        var rest = input.Lines[done..];
        if (batch.Advance(it => rest.Count == 0
            ? WithFiles(it, []) with { Status = BatchStatus.Completed, CompletedAt = Batch.Now }
            : WithFiles(it, rest, "batch_expired", "This request could not be executed before the completion window expired.")
                with { Status = BatchStatus.Expired, ExpiredAt = Batch.Now }))
        {
            return;
        }

        await batch.Hold(BatchStatus.Cancelling, stopping);
        batch.EndCancelled(it => WithFiles(it, rest, "batch_cancelled", "This request was not executed: the batch was cancelled.")
            with { Status = BatchStatus.Cancelled, CancelledAt = Batch.Now });
    }

    /// <summary>How many lines were done.</summary>
    private async Task<int> Answer(List<BatchLine> lines)
    {
        for (var done = 0; ; done++)
        {
            if (done == batch.Script.HoldAfter)
            {
                await batch.Hold(BatchStatus.InProgress, stopping);
            }

            if (done == lines.Count || done == batch.Script.ExpireAfter || batch.IsCancelled)
            {
                return done;
            }

            Answer(lines[done]);
            batch.Count(output.Completed, output.Failed);
        }
    }

    private void Answer(BatchLine line)
    {
        if (batch.Script.FailLines.Contains(line.CustomId))
        {
            output.Fail(line, "request_timeout", "The sample provider was told to fail this request.");
            return;
        }

        var reply = surface.Prepare(line.Body, batch.Script.UsageAbsent.Contains(line.CustomId) ? new() { Usage = UsageReport.Absent } : Script.None);
        output.Answer(line, surface.Dialect.RefuseByScript(reply.Script, reply.Model) ?? files.Refusal(surface.Dialect, reply) ?? (reply.Streams
            ? surface.Dialect.Refuse(new Fault(400, "A request of a batch cannot be streamed.", "stream", "unsupported_value"), reply.Model, Script.None)
            : reply));
    }

    /// <summary>The files are there when the last step shows. What is left of the lines stands in the one for errors.</summary>
    private BatchObject WithFiles(BatchObject it, List<BatchLine> rest, string code = "", string message = "")
    {
        rest.ForEach(line => output.LeaveOut(line, code, message));
        var (outputFileId, errorFileId) = output.Store(files, it.Id, batch.OutputLifetime);
        return it with { OutputFileId = outputFileId, ErrorFileId = errorFileId, Usage = batch.Script.HasUsage ? output.Usage : null };
    }
}
