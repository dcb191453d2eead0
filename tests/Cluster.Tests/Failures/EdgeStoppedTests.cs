using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.Launcher.Servers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>An edge is stopped in order, as an update does; or one goes and never comes back.</summary>
[Collection(FailureCollection.Name)]
public sealed class EdgeStoppedTests(FailureCluster cluster, ITestOutputHelper output)
{
    [Fact]
    public async Task T20_Stopped_in_order_under_load_again_and_again_what_is_under_way_is_answered_and_no_record_is_lost()
    {
        var (rows, answered, upstream) = await Strikes.UnderLoadAsync(cluster, output, times: 4, dollars: 1_000m, async edge =>
        {
            var restarts = (await cluster.Gateway.ProgramAsync(edge)).Restarts;
            await cluster.Gateway.SendAsync(edge, Signal.Terminate);
            await cluster.Gateway.IsBackAsync(edge, restarts);
            Assert.Equal(0, (await cluster.Gateway.ProgramAsync(edge)).LastExitCode);
        });

        Assert.Equal((answered, answered), (rows, upstream));
    }

    [Fact]
    public async Task What_one_left_that_is_never_started_again_is_sent_by_another_and_what_it_held_is_free()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(50 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        await Race.TeachEveryEdgeAsync(cluster, model);

        List<Guid> answered;
        var before = await cluster.Gateway.ProgramAsync("edge-1");
        await using (await cluster.Gateway.FreezeAsync("rabbit"))
        {
            answered = [.. Race.Answered(await Race.ChatAsync(first, model, 25, Race.Text)).Select(static answer => answer.RequestId)];
            Assert.Equal(25, answered.Count);

            // As an operator moves the folder of a machine that is gone: the successor of this process begins with nothing.
            var left = SpoolOf(before.ProcessId!.Value);
            var moved = Path.Combine(Directory.GetParent(left)!.Parent!.FullName, "spool-9", Path.GetFileName(left));
            Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
            await cluster.Gateway.SendAsync("edge-1", Signal.Stop);
            Directory.Move(left, moved);
            await cluster.Gateway.SendAsync("edge-1", Signal.Kill);
        }

        await cluster.Gateway.IsBackAsync("edge-1", before.Restarts);
        var books = await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
        Assert.Equal(25 * ScriptedModels.Cost, books.Window!.Spent);
        using var team = cluster.Team(key);
        answered.AddRange(Race.Answered(await Race.ChatAsync(team, model, 100, Race.Text)).Select(static answer => answer.RequestId));
        var end = await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
        Assert.Equal((50, end.Window!.Limit), (answered.Count, end.Window.Spent));
    }

    /// <summary>The folder of the segments that a process has open.</summary>
    private static string SpoolOf(int processId) => Path.GetDirectoryName(
        Directory.GetFiles($"/proc/{processId}/fd").Select(static file => new FileInfo(file).LinkTarget ?? "").First(static target => target.EndsWith(".seg", StringComparison.Ordinal)))!;
}
