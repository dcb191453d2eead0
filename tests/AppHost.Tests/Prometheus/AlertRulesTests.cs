using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Gateway.AppHost.Tests.Running;
using Gateway.Launcher.Servers;
using Gateway.TestKit;

namespace Gateway.AppHost.Tests.Prometheus;

public sealed class AlertRulesTests
{
    private static readonly string s_rules = Path.Combine(GatewayCluster.Repository, "AppHost", "Prometheus", "alerts.yml");

    [SkippableFact]
    public async Task Prometheus_accepts_the_alert_rules()
    {
        await CheckAsync("rules", s_rules);
    }

    [SkippableFact]
    public async Task Prometheus_accepts_the_settings_that_the_launcher_writes()
    {
        var edge = new ProjectResource("edge");
        edge.Annotations.Add(new EndpointAnnotation("http", "http", 4000, null) { ReplicaPorts = [4001, 4002] });
        var file = Path.Combine(Fake.Folder(), "prometheus.yml");
        var settings = PrometheusBuilderExtensions.Settings(s_rules, [edge]);
        Assert.Contains("'localhost:4001', 'localhost:4002'", settings, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, settings);
        await CheckAsync("config", file);
    }

    [Fact]
    public void Every_alert_says_what_to_do()
    {
        var text = File.ReadAllText(s_rules);
        Assert.Equal(Count("- alert:"), Count("action:"));
        Assert.Equal(Count("- alert:"), Count("summary:"));
        Assert.Equal(Count("- alert:"), Count("severity:"));

        int Count(string part) => text.Split(part).Length - 1;
    }

    private static async Task CheckAsync(string kind, string file)
    {
        Skip.If(Programs.Find("promtool") is null, "promtool is not installed");
        using var process = Process.Start(new ProcessStartInfo(Programs.Find("promtool")!, ["check", kind, file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{await output}{await errors}");
    }
}
