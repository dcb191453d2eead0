using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Servers;

namespace Aspire.Hosting;

/// <summary>Prometheus, where it is installed. (Aspire has a dashboard for metrics instead.)</summary>
public static class PrometheusBuilderExtensions
{
    /// <summary>Scrapes every replica of the projects and loads the alert rules. Does nothing on a machine without prometheus.</summary>
    public static void AddPrometheus(this IDistributedApplicationBuilder builder, string name, string rulesFile, params IReadOnlyList<IResourceBuilder<ProjectResource>> scraped)
    {
        foreach (var project in scraped)
        {
            project.With(new MetricsAnnotation());
        }

        if (Programs.Find("prometheus") is not { } program)
        {
            return;
        }

        var prometheus = builder.AddExecutable(name, program, builder.AppHostDirectory)
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/-/ready");
        var endpoint = prometheus.Resource.Annotations.OfType<EndpointAnnotation>().Single();
        prometheus.With(new ProgramSetupAnnotation(folder =>
        {
            var settings = Path.Combine(folder, "prometheus.yml");
            File.WriteAllText(settings, Settings(Path.GetFullPath(rulesFile, builder.AppHostDirectory), scraped.Select(project => project.Resource)));
            return
            [
                $"--config.file={settings}", $"--storage.tsdb.path={Path.Combine(folder, "data")}", "--storage.tsdb.retention.time=15d",
                $"--web.listen-address=127.0.0.1:{endpoint.AllocatedPort}", "--log.level=warn",
            ];
        }));
    }

    internal static string Settings(string rulesFile, IEnumerable<ProjectResource> projects) =>
        $"""
        global:
          scrape_interval: 5s
          evaluation_interval: 5s
        rule_files:
          - {Quoted(rulesFile)}
        scrape_configs:

        """ + string.Concat(projects.Select(project =>
        {
            var targets = project.Annotations.OfType<EndpointAnnotation>().First().ReplicaPorts.Select(port => $"'localhost:{port}'");
            return $"  - job_name: {project.Name}\n    static_configs:\n      - targets: [{string.Join(", ", targets)}]\n";
        }));

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
