using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;

namespace Gateway.AppHost.Tests.Running;

public sealed class UnitRunnerTests
{
    [Fact]
    public async Task A_program_that_dies_is_started_again_and_counted()
    {
        using var runner = Fake.Runner(Fake.Unit("one", "sleep 1000"));
        runner.Start(Task.CompletedTask);
        await runner.FirstHealthy;
        var first = runner.ProcessId!.Value;
        Signals.Send(first, Signal.Kill);
        await Fake.UntilAsync(() => runner is { IsHealthy: true, Restarts: 1 }, "it runs again");
        Assert.NotEqual(first, runner.ProcessId);
        Assert.Equal(137, runner.LastExitCode);
        var second = runner.ProcessId!.Value;
        await runner.StopAsync();
        Assert.False(ProcessTree.IsAlive(second));
        Assert.Equal(UnitState.Stopped, runner.State);
    }

    [Fact]
    public async Task A_program_that_never_gets_ready_ends_the_start_with_its_last_lines()
    {
        var unit = Fake.Unit("broken", "echo the disk is full; exit 3") with { IsHealthyAsync = _ => Task.FromResult(false) };
        using var runner = Fake.Runner(unit);
        runner.Start(Task.CompletedTask);
        var message = await runner.Failed;
        Assert.Contains("broken ended 3 times", message, StringComparison.Ordinal);
        Assert.Contains("code 3", message, StringComparison.Ordinal);
        Assert.Contains("the disk is full", message, StringComparison.Ordinal);
        await runner.StopAsync();
    }

    [Fact]
    public async Task A_program_that_does_not_stop_is_killed_after_its_limit()
    {
        var unit = Fake.Unit("stubborn", "trap '' TERM; while true; do sleep 0.05; done") with { StopLimit = TimeSpan.FromMilliseconds(300) };
        using var runner = Fake.Runner(unit);
        runner.Start(Task.CompletedTask);
        await runner.FirstHealthy;
        var id = runner.ProcessId!.Value;
        await runner.StopAsync();
        Assert.False(ProcessTree.IsAlive(id));
    }

    [Fact]
    public async Task A_frozen_program_is_stopped_too()
    {
        using var runner = Fake.Runner(Fake.Unit("frozen", "exec sleep 1000"));
        runner.Start(Task.CompletedTask);
        await runner.FirstHealthy;
        var id = runner.ProcessId!.Value;
        Signals.Send(id, Signal.Stop);
        await runner.StopAsync();
        Assert.False(ProcessTree.IsAlive(id));
    }

    [Fact]
    public async Task A_program_that_stops_answering_is_unhealthy_and_healthy_again()
    {
        var answers = true;
        using var runner = Fake.Runner(Fake.Unit("moody", "exec sleep 1000") with { IsHealthyAsync = _ => Task.FromResult(Volatile.Read(ref answers)) });
        runner.Start(Task.CompletedTask);
        await runner.FirstHealthy;
        Volatile.Write(ref answers, false);
        await Fake.UntilAsync(() => runner.State == UnitState.Unhealthy, "unhealthy");
        Volatile.Write(ref answers, true);
        await Fake.UntilAsync(() => runner.State == UnitState.Running, "healthy");
        Assert.Equal(0, runner.Restarts);
        await runner.StopAsync();
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_is_tried_again_not_forgotten()
    {
        var unit = Fake.Unit("missing", "") with { Spec = () => throw new ServerStartException("it is not installed") };
        using var runner = Fake.Runner(unit);
        runner.Start(Task.CompletedTask);
        Assert.Contains("it is not installed", await runner.Failed, StringComparison.Ordinal);
        await runner.StopAsync();
    }
}
