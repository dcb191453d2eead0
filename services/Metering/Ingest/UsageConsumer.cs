using Gateway.Contracts;
using Gateway.Metering.Schema;
using MassTransit;

namespace Gateway.Metering.Ingest;

/// <summary>
/// Stores a message's records. It retries here and not in MassTransit, because only here it is known what failed: while the database is away
/// a message waits without end (unacknowledged, so another process takes it when this one dies); a message that is wrong goes to
/// <c>metering-usage_error</c> at once, and the others go on.
/// </summary>
internal sealed class UsageConsumer(UsageWriter writer, SchemaReady schema, MeteringMetrics metrics, TimeProvider clock, ILogger<UsageConsumer> logger)
    : IConsumer<UsageRecorded>
{
    /// <summary>Tries of a message whose failure is not understood.</summary>
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
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await writer.WriteAsync(UsageBatch.Read(message), patient: attempt == 1, cancellation);
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                var failure = WriteFailures.Of(error);
                // The code or the type, never the text: PostgreSQL's messages quote values.
                var reason = (error as Npgsql.PostgresException)?.SqlState ?? error.GetType().Name;
                if (failure == WriteFailure.Poison || (failure == WriteFailure.Unexpected && attempt >= UnexpectedTriesMax))
                {
                    metrics.Poisoned();
                    logger.MessagePoisoned(message.Count, message.EdgeId, reason);
                    // The message is moved with the exception's text, so that must not quote a value either.
                    throw new PoisonedMessageException(reason);
                }

                var delay = TimeSpan.FromMilliseconds(Math.Min(s_delayMax.TotalMilliseconds, 50 * Math.Pow(2, Math.Min(attempt, 10))));
                metrics.Retried(failure == WriteFailure.DatabaseAway ? "database" : "unexpected");
                logger.WriteRetried(message.Count, message.EdgeId, reason, delay, attempt);
                await Task.Delay(delay, clock, cancellation);
            }
        }
    }
}

/// <summary>A message that no try would store. Its text names the reason and no value of a record.</summary>
internal sealed class PoisonedMessageException(string reason) : Exception($"The usage records could not be stored: {reason}.");
