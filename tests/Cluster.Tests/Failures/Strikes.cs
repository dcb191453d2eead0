using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Two edges under load, struck in turn again and again.</summary>
internal static class Strikes
{
    /// <summary>Strikes, lets the load run on and end, and looks into the books: every answer must be there, once.</summary>
    /// <param name="cluster">The edges.</param>
    /// <param name="output">Takes what was seen.</param>
    /// <param name="times">How often.</param>
    /// <param name="dollars">What the load may spend.</param>
    /// <param name="strikeAsync">Strikes the edge of this name; returns when it is back.</param>
    /// <returns>Rows in the books, answers, and requests that reached the provider.</returns>
    public static async Task<(int Rows, int Answered, int Upstream)> UnderLoadAsync(FailureCluster cluster, ITestOutputHelper output, int times, decimal dollars, Func<string, Task> strikeAsync)
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(dollars);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await using var load = Load.Start(model, 8, first, second);
        for (var strike = 0; strike < times; strike++)
        {
            await load.AnsweredMoreAsync(40);
            await strikeAsync(strike % 2 == 0 ? "edge-1" : "edge-2");
        }

        await load.AnsweredMoreAsync(40);
        await load.StopAsync();

        output.WriteLine($"{times} times: {load}");
        Assert.All(load.Refused, static refusal => Assert.StartsWith("503", refusal, StringComparison.Ordinal));
        var books = await cluster.Books.HaveAllAsync(key.Id, load.Answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        return ((int)books.Usage.Rows, load.Answered.Count, cluster.Upstream.RequestsOf(model).Count);
    }
}
