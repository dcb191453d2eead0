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
    [InlineData("ollama")]
    [InlineData("cohere-chat")]
    [InlineData("gemini")]
    public async Task It_works_against_every_protocol(string script)
    {
        ClientsInNode.SkipWithout();
        var checks = await ClientsInNode.ChecksAsync(script, cluster.Gateway.Port, ClientsCluster.Key, ClientsCluster.Models, output);

        Assert.InRange(checks, ClientsCluster.Models.Count * 4, int.MaxValue);
    }
    [SkippableFact]
    public async Task Files_and_batches_live_their_whole_life()
    {
        ClientsInNode.SkipWithout();

        Assert.Equal(7, await ClientsInNode.ChecksAsync("batches", cluster.Gateway.Port, ClientsCluster.Key, ["gpt-4o"], output));
    }
}
