using Gateway.Cluster.Tests.Clusters;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>
/// The official clients of Node as teams use them, each against models behind different protocols: only the address and the key are the
/// gateway's.
/// </summary>
[Collection(ClientsCollection.Name)]
public sealed class ClientsInNodeTests(ClientsCluster cluster, ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("vercel-ai")]
    [InlineData("langchain")]
    [InlineData("openai-agents")]
    public async Task It_works_against_every_protocol(string script)
    {
        ClientsInNode.SkipWithout();
        var (exit, said, errors) = await ClientsInNode.RunAsync(script, environment: new Dictionary<string, string?>
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
}
