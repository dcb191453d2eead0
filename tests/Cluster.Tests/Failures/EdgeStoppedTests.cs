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
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await using var load = Load.Start(model, 8, first, second);
        for (var stop = 0; stop < 4; stop++)
        {
            await load.AnsweredMoreAsync(40);
            var edge = stop % 2 == 0 ? "edge-1" : "edge-2";
            var restarts = (await cluster.Gateway.ProgramAsync(edge)).Restarts;
            await cluster.Gateway.SendAsync(edge, Signal.Terminate);
            await cluster.Gateway.IsBackAsync(edge, restarts);
            Assert.Equal(0, (await cluster.Gateway.ProgramAsync(edge)).LastExitCode);
        }

        await load.AnsweredMoreAsync(40);
        await load.StopAsync();

        output.WriteLine($"{load}");
        Assert.All(load.Refused, static refusal => Assert.StartsWith("503", refusal, StringComparison.Ordinal));
        var books = await cluster.Books.HaveAllAsync(key.Id, load.Answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        Assert.Equal((load.Answered.Count, load.Answered.Count), ((int)books.Usage.Rows, cluster.Upstream.RequestsOf(model).Count));
    }

    [Fact]
    public async Task What_one_left_that_is_never_started_again_is_sent_by_another_and_what_it_held_is_free()
    {
        var model = ScriptedModels.NewModel();
        var teacher = await cluster.Admin.NewKeyAsync(new { });
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(50 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        foreach (var edge in (string[])["edge-1", "edge-2"])
        {
            using var direct = await cluster.AtEdgeAsync(teacher, edge);
            Assert.Equal(ScriptedModels.Cost, (await direct.ChatAsync(model)).Cost);
        }

        List<Guid> answered;
        var before = await cluster.Gateway.ProgramAsync("edge-1");
        await using (await cluster.Gateway.FreezeAsync("rabbit"))
        {
            answered = [.. Race.Answered(await Race.ChatAsync(first, model, 25, "Hello!")).Select(static answer => answer.RequestId)];
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
        answered.AddRange(Race.Answered(await Race.ChatAsync(team, model, 100, "Hello!")).Select(static answer => answer.RequestId));
        var end = await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
        Assert.Equal((50, end.Window!.Limit), (answered.Count, end.Window.Spent));
    }

    /// <summary>The folder of the segments that a process has open.</summary>
    private static string SpoolOf(int processId) => Path.GetDirectoryName(
        Directory.GetFiles($"/proc/{processId}/fd").Select(static file => new FileInfo(file).LinkTarget ?? "").First(static target => target.EndsWith(".seg", StringComparison.Ordinal)))!;
}
