using Gateway.ServiceDefaults;
using RabbitMQ.Client;

namespace Gateway.Metering.Reports;

/// <summary>Looks every few seconds at how many messages wait in the queue.</summary>
internal sealed class Backlog(IConfiguration configuration, MeteringMetrics metrics, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(2);

    // An answer older than this says nothing about now.
    private static readonly TimeSpan s_validFor = TimeSpan.FromSeconds(10);

    private sealed record Sample(uint Waiting, DateTimeOffset At);

    private Sample? sample;

    /// <summary>When the queue was last seen empty, with nothing under way in this process; null when it was not empty or is not known.</summary>
    public DateTimeOffset? EmptyAt =>
        sample is { Waiting: 0, At: var at } && metrics.UnderWay == 0 && clock.GetUtcNow() - at < s_validFor ? at : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var factory = new ConnectionFactory { Uri = new Uri(configuration.GetConnectionString("rabbit")!), AutomaticRecoveryEnabled = false };
        using var timer = new PeriodicTimer(s_every, clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await factory.CreateConnectionAsync("metering-backlog", stoppingToken);
                await using var channel = await connection.CreateChannelAsync(cancellationToken: stoppingToken);
                do
                {
                    var at = clock.GetUtcNow();
                    var queue = await channel.QueueDeclarePassiveAsync(Messaging.MeteringQueue, stoppingToken);
                    sample = new Sample(queue.MessageCount, at);
                    metrics.Waiting = queue.MessageCount;
                }
                while (await timer.WaitForNextTickAsync(stoppingToken));
            }
            catch (Exception error) when (error is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                // No broker, or no queue yet: readiness and MassTransit's log say so, and the newest stored record stands in.
                sample = null;
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
    }
}
