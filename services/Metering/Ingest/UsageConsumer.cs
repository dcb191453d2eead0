using System.Text.Json;
using Gateway.Contracts;
using Gateway.Metering.Schema;
using Gateway.ServiceDefaults;
using MassTransit;

namespace Gateway.Metering.Ingest;

/// <summary>
/// Stores a message's records. It retries here and not in MassTransit, because only here it is known what failed: while the database is away
/// a message waits without end (unacknowledged, so another process takes it when this one dies). A record that is wrong is set aside
/// (<see cref="RejectedRecords"/>) and the others of its message are stored. Only a message that cannot be unpacked, that has a record which
/// cannot even be set aside, or whose failure nobody understands, goes to <c>metering-usage_error</c>.
/// </summary>
internal sealed class UsageConsumer(
    UsageWriter writer, RejectedRecords rejected, SchemaReady schema, MeteringMetrics metrics, TimeProvider clock, ILogger<UsageConsumer> logger)
    : IConsumer<UsageRecorded>
{
    /// <summary>Tries of a write whose failure is not understood.</summary>
    public const int UnexpectedTriesMax = 5;

    private static readonly TimeSpan s_delayMax = TimeSpan.FromSeconds(5);

    public async Task Consume(ConsumeContext<UsageRecorded> context)
    {
        metrics.Began();
        try
        {
            await schema.WaitAsync(context.CancellationToken);
            await StoreAsync(context.Message, context.CancellationToken);
        }
        finally
        {
            metrics.Ended();
        }
    }

    private async Task StoreAsync(UsageRecorded message, CancellationToken cancellation)
    {
        var (records, others) = Read(message);
        await StoreAsync(message.EdgeId, records, cancellation);

        // After the others: what cannot even be set aside gives up its message, and nothing else.
        foreach (var line in others)
        {
            await SetAsideAsync(message.EdgeId, "not_a_record", line, cancellation);
        }
    }

    private (UsageRecord[] Records, byte[][] Others) Read(UsageRecorded message)
    {
        try
        {
            using var lines = UsageBatch.Read(message);
            return ([.. lines.All.Select(static line => line.Record).OfType<UsageRecord>()],
                [.. lines.All.Where(static line => line.Record is null).Select(static line => line.Line.ToArray())]);
        }
        catch (JsonException)
        {
            throw GivenUp(message.EdgeId, message.Count, "cannot_be_unpacked");
        }
    }

    // What a record makes impossible is halved until that record stands alone.
    private async Task StoreAsync(string edge, UsageRecord[] records, CancellationToken cancellation)
    {
        try
        {
            await RetryAsync(edge, records.Length, first => writer.WriteAsync(records, patient: first, cancellation), cancellation);
        }
        catch (Exception error) when (WriteFailures.Of(error) == WriteFailure.Poison)
        {
            if (records.Length == 1)
            {
                await SetAsideAsync(edge, ReasonOf(error), JsonSerializer.SerializeToUtf8Bytes(records[0], ContractsJson.Default.UsageRecord), cancellation);
                return;
            }

            await StoreAsync(edge, records[..(records.Length / 2)], cancellation);
            await StoreAsync(edge, records[(records.Length / 2)..], cancellation);
        }
    }

    private async Task SetAsideAsync(string edge, string reason, byte[] record, CancellationToken cancellation)
    {
        metrics.Rejected(reason);
        logger.RecordRejected(edge, reason);
        try
        {
            await RetryAsync(edge, 1, _ => rejected.KeepAsync(edge, reason, record, cancellation), cancellation);
        }
        catch (Exception error) when (WriteFailures.Of(error) == WriteFailure.Poison)
        {
            throw GivenUp(edge, 1, ReasonOf(error));
        }
    }

    private async Task RetryAsync(string edge, int records, Func<bool, Task> write, CancellationToken cancellation)
    {
        for (var (attempt, unexpected) = (1, 0); ; attempt++)
        {
            try
            {
                await write(attempt == 1);
                return;
            }
            catch (Exception error) when (!cancellation.IsCancellationRequested && WriteFailures.Of(error) is not WriteFailure.Poison)
            {
                var failure = WriteFailures.Of(error);
                // Its own tries: how long the database was away before is no reason to give a message up.
                if (failure == WriteFailure.Unexpected && ++unexpected >= UnexpectedTriesMax)
                {
                    throw GivenUp(edge, records, ReasonOf(error));
                }

                var delay = TimeSpan.FromMilliseconds(Math.Min(s_delayMax.TotalMilliseconds, 50 * Math.Pow(2, Math.Min(attempt, 10))));
                metrics.Retried(failure == WriteFailure.DatabaseAway ? "database" : "unexpected");
                logger.WriteRetried(records, edge, ReasonOf(error), delay, attempt);
                await Task.Delay(delay, clock, cancellation);
            }
        }
    }

    // The message is moved with the exception's text, so that must not quote a value.
    private PoisonedMessageException GivenUp(string edge, int records, string reason)
    {
        metrics.Poisoned();
        logger.MessagePoisoned(records, edge, reason);
        return new(reason);
    }

    // The code or the type, never the text: PostgreSQL's messages quote values.
    private static string ReasonOf(Exception error) => (error as Npgsql.PostgresException)?.SqlState ?? error.GetType().Name;
}

/// <summary>A message that no try would store. Its text names the reason and no value of a record.</summary>
internal sealed class PoisonedMessageException(string reason) : Exception($"The usage records could not be stored: {reason}.");
