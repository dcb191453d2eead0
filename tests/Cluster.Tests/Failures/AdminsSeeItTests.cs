using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>What is away is said to administrators: 503 on its routes, a backlog in the metrics, ill on the dashboard.</summary>
[Collection(FailureCollection.Name)]
public sealed class AdminsSeeItTests(FailureCluster cluster)
{
    [Theory]
    [InlineData("auth", "/key/list")]
    [InlineData("metering", "/spend/logs")]
    [InlineData("ledger", "/budget/list")]
    public async Task The_routes_of_a_service_that_was_killed_answer_503_until_it_is_back(string program, string path)
    {
        using var admin = await cluster.AtEdgeAsync(new MadeKey(cluster.Gateway.MasterKey, ""));
        var before = (await admin.GetAsync(path)).Status;
        var restarts = (await cluster.Gateway.ProgramAsync(program)).Restarts;
        await cluster.Gateway.SendAsync(program, Launcher.Servers.Signal.Kill);

        var back = cluster.Gateway.IsBackAsync(program, restarts);
        (await Eventually.Is(() => admin.GetAsync(path), static answer => answer.Status == 503, $"{path} says that {program} is away")).IsError(503, "temporarily_unavailable");
        await back;
        await Eventually.Is(() => admin.GetAsync(path), answer => answer.Status == before, $"{path} answers again");
        await cluster.Gateway.IsWholeAsync();
    }

    [Fact]
    public async Task While_RabbitMQ_is_frozen_the_edge_s_metrics_show_the_records_that_wait()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = await cluster.AtEdgeAsync(key);
        await using (await cluster.Gateway.FreezeAsync("rabbit"))
        {
            for (var i = 0; i < 10; i++)
            {
                (await team.ChatAsync(model)).IsOk();
            }

            await Eventually.Is(
                async () => (await team.GetAsync("/metrics")).Body.Split('\n').SingleOrDefault(static line => line.StartsWith("gateway_spool_records", StringComparison.Ordinal)),
                static line => line is not null && double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture) >= 10,
                "ten records wait in the spool");
        }

        await cluster.Books.AtRestAsync(key.Id, 10, $"user/{userId}", Failure.Limit);
        await cluster.Gateway.IsWholeAsync();
    }
}
