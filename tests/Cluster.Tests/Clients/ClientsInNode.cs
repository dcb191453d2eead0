using System.Diagnostics;
using Gateway.Cluster.Tests.Calls;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>The scripts of <c>Clients/Node</c> and the official clients beside them. Their packages are pinned in <c>package-lock.json</c>; <c>./test</c> installs them.</summary>
internal static class ClientsInNode
{
    private static readonly string Folder = Path.Combine(TestKit.GatewayCluster.Repository, "tests", "Cluster.Tests", "Clients", "Node");

    private static readonly Lazy<string?> WhyNot = new(Look);

    /// <summary>Skips the test on a machine that cannot run them, and says why.</summary>
    public static void SkipWithout() => Skip.If(WhyNot.Value is not null, WhyNot.Value);

    /// <summary>Runs a script to its end.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(string script, string input = "", IReadOnlyDictionary<string, string?>? environment = null) =>
        LocalProgram.RunAsync("node", [Path.Combine(Folder, script + ".mjs")], input, environment);

    /// <summary>Runs a script of checks against some models, all of which must hold, and gives their number.</summary>
    public static async Task<int> ChecksAsync(string script, int port, string key, IEnumerable<string> models, ITestOutputHelper output)
    {
        var (exit, said, errors) = await RunAsync(script, environment: new Dictionary<string, string?>
        {
            ["GATEWAY_URL"] = $"http://localhost:{port}", ["GATEWAY_KEY"] = key, ["GATEWAY_MODELS"] = string.Join(',', models), ["GATEWAY_POOR_KEY"] = Clusters.ClientsCluster.PoorKey,
        });
        output.WriteLine(said);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(lines, static line => line.StartsWith("failed ", StringComparison.Ordinal));
        Assert.True(exit == 0 && lines is [.., "done"], $"{script} ended with {exit}: {errors}");
        return lines.Count(static line => line.StartsWith("ok ", StringComparison.Ordinal));
    }

    private static string? Look()
    {
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true })!;
            var version = node.StandardOutput.ReadToEnd().TrimStart('v').Split('.')[0];
            node.WaitForExit();
            return !int.TryParse(version, out var major) || major < 20 ? "Node 20 is needed for the clients of today."
                : Directory.Exists(Path.Combine(Folder, "node_modules")) ? null : $"The clients are not installed: npm ci in {Folder}.";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "Node is not installed.";
        }
    }
}
