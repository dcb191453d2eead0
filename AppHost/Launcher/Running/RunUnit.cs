using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Servers;

namespace Gateway.Launcher.Running;

/// <summary>One thing to run: a server, one replica of a project, a program; or nothing, for a server that is elsewhere.</summary>
/// <param name="Name">The resource's name, with a number when it has several replicas.</param>
/// <param name="Resource">The resource that it belongs to.</param>
/// <param name="Kind">What it is, for the dashboard: "project", "redis-server", "container redis:7", "external".</param>
internal sealed record RunUnit(string Name, IResource Resource, string Kind)
{
    /// <summary>Null: it runs elsewhere and is only watched.</summary>
    public Func<ProcessSpec>? Spec { get; init; }

    public Func<CancellationToken, Task> PrepareAsync { get; init; } = static _ => Task.CompletedTask;

    /// <summary>Asked again and again while the process runs. Never throws.</summary>
    public Func<CancellationToken, Task<bool>> IsHealthyAsync { get; init; } = static _ => Task.FromResult(true);

    /// <summary>After each start, as soon as it is healthy and before those that wait for it go on.</summary>
    public Func<CancellationToken, Task> AfterHealthyAsync { get; init; } = static _ => Task.CompletedTask;

    public Func<Task> AfterStopAsync { get; init; } = static () => Task.CompletedTask;

    public IReadOnlyList<WaitAnnotation> WaitsFor { get; init; } = [];

    /// <summary>Addresses for the person who looks.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>Port on which this replica itself answers; 0 when it has none.</summary>
    public int Port { get; init; }

    /// <summary>"engine=name" of the container that holds it, for the sweep after a crash.</summary>
    public string? Container { get; init; }

    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(15);
}

internal enum UnitState
{
    Waiting,
    Starting,
    Running,
    Unhealthy,
    Died,
    Stopping,
    Stopped,
}
