using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Alerts;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Journal;

/// <summary>
/// Books a message of usage records. The message is acknowledged when every record is in the journal or kept aside: one record that is no
/// record does not hold up the others of its batch.
/// </summary>
internal sealed class UsageConsumer(
    Posting posting, RejectedRecords rejected, AlertOutbox alerts, LedgerMetrics metrics, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<UsageConsumer> logger)
    : IConsumer<UsageRecorded>
{
    public async Task Consume(ConsumeContext<UsageRecorded> context)
    {
        var message = context.Message;
        var now = clock.GetUtcNow();
        var entries = new List<JournalEntry>(Math.Clamp(message.Count, 0, 10_000));
        var unpriced = new HashSet<string>(StringComparer.Ordinal);
        var records = UsageBatch.Lines(message);
        foreach (var line in Lines(records.Span))
        {
            var record = Read(records.Span[line]);
            var refusal = record is null ? "not_a_record" : JournalRules.Refusal(record, now, options.Value.RecordAgeMax);
            if (refusal is not null)
            {
                metrics.Rejected(refusal);
                logger.RecordRejected(message.EdgeId, refusal);
                await rejected.KeepAsync(message.EdgeId, refusal, records[line].ToArray(), context.CancellationToken);
                continue;
            }

            entries.Add(JournalRules.FromUsage(record!));
            if (record!.Unpriced)
            {
                unpriced.Add(record.Model);
            }
        }

        if (entries.Count > 0)
        {
            await posting.WriteAsync(entries, patient: true, context.CancellationToken);
        }

        foreach (var model in unpriced)
        {
            await alerts.RaiseAsync($"model/{model}@{now:yyyy-MM-dd}", "unpriced_model", new()
            {
                Event = "unpriced_model",
                EventGroup = "proxy",
                EventMessage = $"Model {model} has no price: its requests cost 0 in every report. Give it a price in config.yaml or in the price file.",
            }, context.CancellationToken);
        }
    }

    private static List<Range> Lines(ReadOnlySpan<byte> records)
    {
        var lines = new List<Range>();
        for (var start = 0; start < records.Length;)
        {
            var length = records[start..].IndexOf((byte)'\n');
            var end = length < 0 ? records.Length : start + length;
            if (end > start)
            {
                lines.Add(start..end);
            }

            start = end + 1;
        }

        return lines;
    }

    private static UsageRecord? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ContractsJson.Default.UsageRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
