using Aspire.Hosting.ApplicationModel;

namespace Gateway.Launcher.Running;

/// <summary>The running units: who waits for whom at the start, and the other way round at the end.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly IReadOnlyList<SharedPort> _sharedPorts;
    private readonly List<Balancer> _balancers = [];

    public Cluster(IReadOnlyList<RunUnit> units, IReadOnlyList<SharedPort> sharedPorts, LogHub log, StartedProcesses notes, RunnerPatience patience, TimeProvider clock)
    {
        _sharedPorts = sharedPorts;
        Runners = [.. units.Select(unit => new UnitRunner(unit, log, notes, patience, clock))];
        RefuseCircles();
    }

    public IReadOnlyList<UnitRunner> Runners { get; }

    /// <summary>Ends with a message as soon as one unit's start has failed for good.</summary>
    public Task<string> Failed { get; private set; } = Task.FromResult("");

    public Task AllHealthy { get; private set; } = Task.CompletedTask;

    public void Start()
    {
        foreach (var shared in _sharedPorts)
        {
            _balancers.Add(new Balancer(shared.Port, shared.IsPublic, [.. shared.Replicas.Select(Runner).Select(runner => new Target(runner.Unit.Port, () => runner.IsHealthy))]));
        }

        Failed = FirstFailureAsync();
        AllHealthy = Task.WhenAll(Runners.Select(runner => runner.FirstHealthy));
        foreach (var runner in Runners)
        {
            runner.Start(Task.WhenAll(runner.Unit.WaitsFor.Select(WaitAsync)));
        }
    }

    /// <summary>Stops everything; a unit only when all that wait for it have stopped. A second time there is nothing left to stop.</summary>
    public async Task StopAsync()
    {
        var stops = new Dictionary<UnitRunner, Task>();
        await Task.WhenAll(Runners.Select(Stop));
        foreach (var balancer in _balancers)
        {
            await balancer.DisposeAsync();
        }

        _balancers.Clear();

        Task Stop(UnitRunner runner)
        {
            if (!stops.TryGetValue(runner, out var stop))
            {
                var dependents = Runners.Where(other => other.Unit.WaitsFor.Any(wait => ServerOf(wait.Resource) == runner.Unit.Resource)).Select(Stop).ToList();
                stops[runner] = stop = StopAfterAsync(runner, dependents);
            }

            return stop;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var runner in Runners)
        {
            runner.Dispose();
        }
    }

    private static async Task StopAfterAsync(UnitRunner runner, IReadOnlyList<Task> dependents)
    {
        await Task.WhenAll(dependents);
        await runner.StopAsync();
    }

    private static IResource ServerOf(IResource resource) => resource is PostgresDatabaseResource database ? database.Parent : resource;

    private async Task WaitAsync(WaitAnnotation wait)
    {
        // With several replicas one is enough: the port that they share answers.
        var those = Runners.Where(runner => runner.Unit.Resource == ServerOf(wait.Resource)).ToList();
        if (those.Count > 0)
        {
            await await Task.WhenAny(those.Select(runner => wait.UntilHealthy ? runner.FirstHealthy : runner.FirstRunning));
        }
    }

    private async Task<string> FirstFailureAsync() => await await Task.WhenAny(Runners.Select(runner => runner.Failed));

    private UnitRunner Runner(RunUnit unit) => Runners.Single(runner => runner.Unit == unit);

    private void RefuseCircles()
    {
        var open = new HashSet<IResource>();
        var done = new HashSet<IResource>();
        foreach (var runner in Runners)
        {
            Visit(runner.Unit.Resource);
        }

        void Visit(IResource resource)
        {
            if (done.Contains(resource))
            {
                return;
            }

            if (!open.Add(resource))
            {
                throw new LaunchException($"{resource.Name} waits, through others, for itself: {string.Join(" → ", open.Select(one => one.Name))} → {resource.Name}. Take one WaitFor away.");
            }

            foreach (var wait in Runners.Where(runner => runner.Unit.Resource == resource).SelectMany(runner => runner.Unit.WaitsFor))
            {
                Visit(ServerOf(wait.Resource));
            }

            open.Remove(resource);
            done.Add(resource);
        }
    }
}
