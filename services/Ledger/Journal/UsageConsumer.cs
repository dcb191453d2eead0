using Gateway.Contracts;
using Gateway.Ledger.Alerts;
using Gateway.Ledger.Edges;
using Gateway.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Books a message of usage records. The message is acknowledged when every record is in the journal or kept aside: one record that is no
/// record does not hold up the others of its batch.
/// </summary>
internal sealed class UsageConsumer(
    Posting posting, RejectedRecords rejected, WritePatience patience, MessagesUnderWay underWay, AlertOutbox alerts, LedgerMetrics metrics, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<UsageConsumer> logger)
    : IConsumer<UsageRecorded>
{
    public Task Consume(ConsumeContext<UsageRecorded> context) => underWay.RunAsync(() => BookAsync(context));

    private async Task BookAsync(ConsumeContext<UsageRecorded> context)
    {
        var message = context.Message;
        var now = clock.GetUtcNow();
        var entries = new UsageEntries(now, options.Value.RecordAgeMax);
        var refused = new List<(byte[] Line, string Reason)>();
        var unpriced = new HashSet<string>(StringComparer.Ordinal);
        using (var lines = UsageBatch.Read(message))
        {
            foreach (var (line, record) in lines.All)
            {
                if ((record is null ? "not_a_record" : entries.Add(record)) is { } refusal)
                {
                    refused.Add((line.ToArray(), refusal));
                }
                else if (record!.Unpriced)
                {
                    unpriced.Add(record.Model);
                }
            }
        }

        if (entries.Made.Count > 0)
        {
            await posting.WriteAsync(entries.Made, patient: true, context.CancellationToken);
        }

        // After the others: what cannot even be kept aside gives up its message, and nothing else.
        foreach (var (line, reason) in refused)
        {
            metrics.Rejected(reason);
            logger.RecordRejected(message.EdgeId, reason);
            await patience.WriteAsync(() => rejected.KeepAsync(message.EdgeId, reason, line, context.CancellationToken), context.CancellationToken);
        }

        foreach (var model in unpriced)
        {
            var alert = new AlertBody
            {
                Event = "unpriced_model",
                EventGroup = "proxy",
                EventMessage = $"Model {model} has no price: its requests cost 0 in every report. Give it a price in config.yaml or in the price file.",
            };
            try
            {
                await patience.WriteAsync(() => alerts.RaiseAsync($"model/{model}@{now:yyyy-MM-dd}", "unpriced_model", alert, context.CancellationToken), context.CancellationToken);
            }
            catch (PostgresException error) when (WritePatience.IsAboutTheData(error))
            {
                // The records are booked: no alert is a reason to give their message up.
                logger.AlertRefused(alert.Event, message.EdgeId, error.SqlState);
            }
        }
    }
}
