using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Protocols;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>Cohere's client for Node, for what the gateway has in Cohere's form: an order of documents, by models behind three protocols.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class CohereClientTests(ProtocolsCluster cluster, ITestOutputHelper output)
{
    [SkippableFact]
    public async Task It_works_against_every_protocol()
    {
        ClientsInNode.SkipWithout();
        foreach (var reranker in Protocol.Rerankers)
        {
            cluster.Answer(reranker.Name, reranker.Reply("rerank", reranker.Folder == "Bedrock" ? "cohere" : "plain"));
        }

        var lines = await ClientsInNode.ChecksAsync("cohere", cluster.Gateway.Port, ProtocolsCluster.Key, Protocol.Rerankers.Select(static reranker => reranker.Name), output);

        Assert.Equal(Protocol.Rerankers.Count * 3, lines);
    }
}
