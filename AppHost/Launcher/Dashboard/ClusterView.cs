using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;

namespace Gateway.Launcher.Dashboard;

/// <summary>What the page shows of one unit. No environment: it holds secrets.</summary>
internal sealed record UnitView(
    string Name, string Resource, string Kind, string State, bool Healthy, int? ProcessId, int Restarts, int? LastExitCode,
    DateTimeOffset? StartedAt, IReadOnlyList<string> Endpoints, IReadOnlyList<LinkView> Links, IReadOnlyList<string> WaitsFor, IReadOnlyList<string> Databases);

internal sealed record LinkView(string Text, string Url);

internal sealed class ClusterView(Cluster cluster, IReadOnlyList<IResource> resources)
{
    public IReadOnlyList<UnitView> Now() => [.. cluster.Runners.Select(Of)];

    private UnitView Of(UnitRunner runner)
    {
        var unit = runner.Unit;
        return new UnitView(
            unit.Name, unit.Resource.Name, unit.Kind, runner.State.ToString(), runner.IsHealthy, runner.ProcessId, runner.Restarts, runner.LastExitCode,
            runner.StartedAt, unit.Endpoints, [.. Links(unit)], [.. unit.WaitsFor.Select(wait => wait.Resource.Name).Distinct()],
            [.. resources.OfType<PostgresDatabaseResource>().Where(database => database.Parent == unit.Resource).Select(database => database.DatabaseName)]);
    }

    private static IEnumerable<LinkView> Links(RunUnit unit)
    {
        if (unit.Resource is ProjectResource project && unit.Endpoints is [var address, ..])
        {
            if (project.Annotations.OfType<MetricsAnnotation>().Any())
            {
                yield return new LinkView("metrics", $"{address}/metrics");
            }

            yield return new LinkView("health", $"{address}/health/ready");
            if (project.Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.IsExternal))
            {
                yield return new LinkView("API docs", $"{address}/docs");
            }
        }
        else if (unit.Resource is ExecutableResource && unit.Endpoints is [var page, ..])
        {
            yield return new LinkView("open", page);
        }
    }
}
