using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>What an answer whose bytes passed is charged: no byte was changed for it, and none was missed.</summary>
internal static class Charged
{
    /// <summary>What the provider said that it used, once.</summary>
    public static async Task AsReportedAsync(RunningCluster cluster, Answer got, bool streamed)
    {
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal(
            (ScriptedModels.Cost, ScriptedModels.InputTokens, ScriptedModels.OutputTokens, false, streamed), (row.Cost, row.Input, row.Output, row.Estimated, row.Streamed));
    }

    /// <summary>What came of a stream that broke.</summary>
    public static async Task AsProducedAsync(RunningCluster cluster, Answer got)
    {
        var row = await cluster.Books.RowOfAsync(got.RequestId);
        Assert.Equal((Outcome.UpstreamCut, true), (row.Outcome, row.Estimated));
        Assert.InRange(row.Output, 1, 10);
    }
}
