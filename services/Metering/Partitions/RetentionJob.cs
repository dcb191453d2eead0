using Gateway.Metering.Schema;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Gateway.Metering.Partitions;

/// <summary>Makes days ahead and drops old ones, at the start and then every <see cref="MeteringOptions.RetentionEvery"/>. Several processes may run it.</summary>
internal sealed class RetentionJob(
    DayPartitions partitions, SchemaReady schema, MeteringMetrics metrics, IOptions<MeteringOptions> options, TimeProvider clock, ILogger<RetentionJob> logger)
    : BackgroundJob(clock, logger, options.Value.RetentionEvery)
{
    /// <summary>One run.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var today = partitions.LastAhead.AddDays(-DayPartitions.DaysAhead);
        await partitions.EnsureAsync(Enumerable.Range(0, DayPartitions.DaysAhead + 1).Select(today.AddDays), cancellation);
        await partitions.SortOutAsync(cancellation);
        var dropped = await partitions.DropOldAsync(cancellation);
        if (dropped > 0)
        {
            metrics.Dropped(dropped);
            logger.DaysDropped(dropped, partitions.FirstKept);
        }
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await schema.WaitAsync(stoppingToken);
        await RunAsync(stoppingToken);
        await Task.Delay(options.Value.RetentionEvery, Clock, stoppingToken);
    }
}
