using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Work in the background that is done again and again, and goes on whatever happens to it: what fails is logged, counted
/// (<c>gateway.background.failures</c>) and tried again after a pause. A loop that ended at a failure that nobody foresaw would end its
/// process, and with it everything else that the process does; the same failure would meet the next process.
/// </summary>
/// <param name="clock">The time.</param>
/// <param name="logger">Of the job: its category says whose failure it is.</param>
/// <param name="pause">From a failure to the next try; a second when it is not given.</param>
public abstract partial class BackgroundJob(TimeProvider clock, ILogger logger, TimeSpan? pause = null) : BackgroundService
{
    private static readonly Meter s_meter = new("Gateway.Background");
    private static readonly Counter<long> s_failures = s_meter.CreateCounter<long>(
        "gateway.background.failures", "{failure}", "Rounds of background work that failed; each is tried again.");

    /// <summary>The time.</summary>
    protected TimeProvider Clock { get; } = clock;

    /// <summary>One round, the wait before or after it included. When it returns, the next one begins.</summary>
    protected abstract Task WorkAsync(CancellationToken stoppingToken);

    /// <inheritdoc />
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var again = pause ?? TimeSpan.FromSeconds(1);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WorkAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is, it must not end the loop.
            catch (Exception error) when (error is not OutOfMemoryException)
#pragma warning restore CA1031
            {
                var job = GetType().Name;
                s_failures.Add(1, new KeyValuePair<string, object?>("job", job));
                // The code or the type, never the text: PostgreSQL's messages quote values.
                Failed(logger, job, (error as PostgresException)?.SqlState ?? error.GetType().Name, PlaceOf(error), again);
                await Task.Delay(again, Clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // The first line of the trace that is the gateway's own.
    private static string PlaceOf(Exception error) =>
        error.StackTrace?.Split('\n').FirstOrDefault(static line => line.Contains(" Gateway.", StringComparison.Ordinal))?.Trim() ?? "at an unknown place";

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "{Job} failed ({Failure}, {Place}); it is tried again in {Pause}")]
    private static partial void Failed(ILogger logger, string job, string failure, string place, TimeSpan pause);
}
