using Gateway.ServiceDefaults;

namespace Gateway.Ledger.Duties;

/// <summary>A job of the process on duty that looks once an hour; what fails is tried again an hour later.</summary>
internal abstract class HourlyDuty(TimeProvider clock, ILogger logger) : BackgroundJob(clock, logger, Every)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    protected ILogger Logger { get; } = logger;

    /// <summary>One look. It does nothing where another process is on duty.</summary>
    protected abstract Task LookAsync(CancellationToken cancellation);

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await LookAsync(stoppingToken);
        await Task.Delay(Every, Clock, stoppingToken);
    }
}
