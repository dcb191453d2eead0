using System.Diagnostics;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>
/// The official clients of Node as teams use them, each against models behind different protocols: only the address and the key are the
/// gateway's. Their packages are pinned in <c>Clients/Node/package-lock.json</c>; <c>./test</c> installs them.
/// </summary>
[Collection(ClientsCollection.Name)]
public sealed class ClientsInNodeTests(ClientsCluster cluster, ITestOutputHelper output)
{
    private static readonly string Folder = Path.Combine(TestKit.GatewayCluster.Repository, "tests", "Cluster.Tests", "Clients", "Node");

    [SkippableTheory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("vercel-ai")]
    [InlineData("langchain")]
    [InlineData("openai-agents")]
    public async Task It_works_against_every_protocol(string script)
    {
        Skip.If(WhyNot() is not null, WhyNot());
        var (exit, said, errors) = await LocalProgram.RunAsync("node", [Path.Combine(Folder, script + ".mjs")], environment: new Dictionary<string, string?>
        {
            ["GATEWAY_URL"] = $"http://localhost:{cluster.Gateway.Port}",
            ["GATEWAY_KEY"] = ClientsCluster.Key,
            ["GATEWAY_MODELS"] = string.Join(',', ClientsCluster.Models),
        });
        output.WriteLine(said);

        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(lines, static line => line.StartsWith("failed ", StringComparison.Ordinal));
        Assert.True(exit == 0 && lines is [.., "done"], $"{script} ended with {exit}: {errors}");
        Assert.InRange(lines.Count(static line => line.StartsWith("ok ", StringComparison.Ordinal)), ClientsCluster.Models.Count * 4, int.MaxValue);
    }

    /// <summary>Why a machine cannot run them; null where it can.</summary>
    private static string? WhyNot()
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
