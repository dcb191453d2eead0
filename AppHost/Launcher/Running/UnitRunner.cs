using Gateway.Launcher.Servers;

namespace Gateway.Launcher.Running;

/// <summary>How patient a runner is.</summary>
internal sealed record RunnerPatience
{
    /// <summary>The first pause before a restart; it doubles with each further death.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After so long without a death the pauses begin anew.</summary>
    public TimeSpan Forgives { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Deaths before it was ever healthy: then the start has failed for good.</summary>
    public int DeathsAtStart { get; init; } = 5;

    public TimeSpan ProbeWhileStarting { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan ProbeWhileRunning { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Probes in a row that must fail before a running unit counts as unhealthy.</summary>
    public int FailuresAllowed { get; init; } = 2;
}

/// <summary>Starts one unit when what it waits for is there, watches it, and starts it again when it died, until it is told to stop.</summary>
internal sealed class UnitRunner(RunUnit unit, LogHub log, StartedProcesses notes, RunnerPatience patience, TimeProvider clock) : IDisposable
{
    private readonly TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private LocalProcess? _process;
    private Task _work = Task.CompletedTask;

    public RunUnit Unit { get; } = unit;

    public UnitState State { get; private set; } = UnitState.Waiting;

    public int Restarts { get; private set; }

    public int? LastExitCode { get; private set; }

    public DateTimeOffset? StartedAt { get; private set; }

    public int? ProcessId => _process is { HasExited: false } process ? process.Id : null;

    /// <summary>Ends when it ran, or was healthy, for the first time.</summary>
    public Task FirstRunning => _running.Task;

    public Task FirstHealthy => _healthy.Task;

    /// <summary>Ends with a message when the start has failed for good.</summary>
    public Task<string> Failed => _failed.Task;

    public bool IsHealthy => State == UnitState.Running;

    public void Start(Task waitFor) => _work = Task.Run(() => RunAsync(waitFor, _stop.Token));

    /// <summary>Stops it for good: asked first, killed after its limit.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _work;
        if (_process is { } process)
        {
            State = UnitState.Stopping;
            if (!process.HasExited && !await process.StopAsync(Unit.StopLimit))
            {
                log.Launcher($"{Unit.Name} did not stop within {Unit.StopLimit.TotalSeconds:0} s and was killed.");
            }

            await process.DisposeAsync();
        }

        await Unit.AfterStopAsync();
        notes.Remove(Unit.Name);
        State = UnitState.Stopped;
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync(Task waitFor, CancellationToken stop)
    {
        try
        {
            await waitFor.WaitAsync(stop);
            var deaths = 0;
            while (true)
            {
                await LiveAsync(stop);
                deaths = StartedAt is { } started && clock.GetUtcNow() - started > patience.Forgives ? 1 : deaths + 1;
                if (deaths >= patience.DeathsAtStart && !_healthy.Task.IsCompleted)
                {
                    _failed.TrySetResult(Diagnosis());
                    return;
                }

                var pause = TimeSpan.FromTicks(Math.Min(patience.LongestPause.Ticks, patience.FirstPause.Ticks << Math.Min(deaths - 1, 10)));
                log.Launcher($"{Unit.Name} died{(LastExitCode is { } code ? $" (code {code})" : "")}; it is started again in {pause.TotalSeconds:0.#} s.");
                await Task.Delay(pause, clock, stop);
                Restarts++;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop: StopAsync ends the process.
        }
    }

    /// <summary>One life of the unit, from its start to its death.</summary>
    private async Task LiveAsync(CancellationToken stop)
    {
        State = UnitState.Starting;
        StartedAt = clock.GetUtcNow();
        if (Unit.Spec is null)
        {
            _running.TrySetResult();
            await WatchAsync(new TaskCompletionSource<int>().Task, stop);
            return;
        }

        try
        {
            await Unit.PrepareAsync(stop);
            if (_process is { } former)
            {
                await former.DisposeAsync();
            }

            stop.ThrowIfCancellationRequested();
            _process = LocalProcess.Start(Unit.Spec(), line => log.Line(Unit.Name, line));
            notes.Add(Unit.Name, _process.Id, Unit.Container);
            _running.TrySetResult();
            await WatchAsync(_process.Exited, stop);
            LastExitCode = await _process.Exited;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !stop.IsCancellationRequested)
        {
            log.Line(Unit.Name, e.Message);
            LastExitCode = null;
            if (_process is { HasExited: false } process)
            {
                await process.KillAsync();
            }
        }

        State = UnitState.Died;
    }

    private async Task WatchAsync(Task exited, CancellationToken stop)
    {
        var healthyOnce = false;
        var failures = 0;
        while (!exited.IsCompleted)
        {
            if (await Unit.IsHealthyAsync(stop))
            {
                failures = 0;
                if (!healthyOnce)
                {
                    await Unit.AfterHealthyAsync(stop);
                    healthyOnce = true;
                }

                Change(UnitState.Running);
                _healthy.TrySetResult();
            }
            else if (healthyOnce && ++failures >= patience.FailuresAllowed && !exited.IsCompleted)
            {
                Change(UnitState.Unhealthy);
            }

            var pause = Task.Delay(healthyOnce ? patience.ProbeWhileRunning : patience.ProbeWhileStarting, clock, stop);
            await Task.WhenAny(exited, pause);
            stop.ThrowIfCancellationRequested();
        }
    }

    private void Change(UnitState state)
    {
        var former = State;
        State = state;
        if (former == UnitState.Running && state == UnitState.Unhealthy)
        {
            log.Launcher($"{Unit.Name} does not answer its health check.");
        }
        else if (former == UnitState.Unhealthy && state == UnitState.Running)
        {
            log.Launcher($"{Unit.Name} is healthy again.");
        }
    }

    private string Diagnosis() =>
        $"{Unit.Name} ended {patience.DeathsAtStart} times before it was ready{(LastExitCode is { } code ? $", last with code {code}" : "")}. Its last lines:\n"
        + string.Join('\n', log.Last(Unit.Name, 20).Select(line => $"  {line}"));
}
