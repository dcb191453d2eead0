using System.Net.Sockets;
using Npgsql;

namespace Gateway.Ledger.Duties;

/// <summary>A job of the process on duty that looks once an hour; what fails is tried again an hour later.</summary>
internal abstract class HourlyDuty(TimeProvider clock, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    protected TimeProvider Clock { get; } = clock;

    protected ILogger Logger { get; } = logger;

    /// <summary>One look. It does nothing where another process is on duty.</summary>
    protected abstract Task LookAsync(CancellationToken cancellation);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, Clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(stoppingToken);
                await LookAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is NpgsqlException or TimeoutException or SocketException)
            {
                Logger.PassFailed(error.GetType().Name);
            }
        }
    }
}
