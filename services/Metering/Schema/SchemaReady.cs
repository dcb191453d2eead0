using System.Net.Sockets;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Schema;

/// <summary>
/// Brings the schema up to date at the start. The service is up without its database: it waits for it here, messages wait in their queue,
/// reports say 503, and readiness says what is missing.
/// </summary>
internal sealed class SchemaReady(NpgsqlDataSource database, TimeProvider clock, ILogger<SchemaReady> logger) : BackgroundService
{
    private static readonly TimeSpan s_delay = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Returns when the tables are there.</summary>
    public Task WaitAsync(CancellationToken cancellation) => ready.Task.WaitAsync(cancellation);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await Database.MigrateAsync(database, typeof(SchemaReady).Assembly, logger, stoppingToken);
                logger.SchemaReady();
                ready.TrySetResult();
                return;
            }
            catch (Exception error) when (error is NpgsqlException or SocketException or TimeoutException || error.InnerException is NpgsqlException { IsTransient: true })
            {
                logger.SchemaWaits((error as NpgsqlException)?.SqlState ?? error.GetType().Name, s_delay);
                await Task.Delay(s_delay, clock, stoppingToken);
            }
        }
    }
}
