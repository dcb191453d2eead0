using System.Diagnostics;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.Launcher.Servers;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Auth is away: known keys go on, unknown ones get 503 and never 401.</summary>
[Collection(FailureCollection.Name)]
public sealed class AuthDownTests(FailureCluster cluster)
{
    [Theory]
    [InlineData("auth")]
    [InlineData("postgres")]
    public async Task Frozen_known_keys_go_on_and_unknown_ones_get_503_and_never_401(string program)
    {
        await cluster.Gateway.IsWholeAsync();
        var model = ScriptedModels.NewModel();
        var known = (await cluster.Admin.NewUserWithKeyAsync(10m)).Key;
        var unused = (await cluster.Admin.NewUserWithKeyAsync(10m)).Key;
        using var team = await cluster.AtEdgeAsync(known);
        using var newcomer = await cluster.AtEdgeAsync(unused);
        using var stranger = await cluster.AtEdgeAsync(new MadeKey("sk-nobody-has-this", ""));
        using var admin = await cluster.AtEdgeAsync(new MadeKey(cluster.Gateway.MasterKey, ""));
        (await team.ChatAsync(model)).IsOk();
        (await admin.GetAsync("/key/list")).IsOk();

        await using (await cluster.Gateway.FreezeAsync(program))
        {
            for (var i = 0; i < 10; i++)
            {
                (await team.ChatAsync(model)).IsOk();
            }

            foreach (var unknown in new[] { newcomer, stranger })
            {
                var began = Stopwatch.GetTimestamp();
                var answer = await unknown.ChatAsync(model);
                answer.IsError(503, "temporarily_unavailable");
                Assert.NotNull(answer.Header("Retry-After"));
                Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "An edge waits for Auth for a bounded time.");
            }

            (await team.ChatAsync(model)).IsOk();
        }

        await Eventually.Holds(async () => (await newcomer.ChatAsync(model)).Status == 200, "the unused key works when Auth is back");
        await Eventually.Is(() => stranger.ChatAsync(model), static answer => answer.Status == 401, "the wrong key is refused when Auth is back");
        await cluster.Gateway.IsWholeAsync();
    }

    [Fact]
    public async Task Killed_known_keys_go_on_and_a_key_deleted_after_its_restart_stops()
    {
        var model = ScriptedModels.NewModel();
        var key = (await cluster.Admin.NewUserWithKeyAsync(10m)).Key;
        var unused = (await cluster.Admin.NewUserWithKeyAsync(10m)).Key;
        using var team = await cluster.AtEdgeAsync(key);
        using var newcomer = await cluster.AtEdgeAsync(unused);
        (await team.ChatAsync(model)).IsOk();
        var restarts = (await cluster.Gateway.ProgramAsync("auth")).Restarts;
        await cluster.Gateway.SendAsync("auth", Signal.Kill);

        // Until it is back: the known key is served, the unused one is served or told to come again, and never told that it is wrong.
        var back = cluster.Gateway.IsBackAsync("auth", restarts);
        do
        {
            (await team.ChatAsync(model)).IsOk();
            Assert.Contains((await newcomer.ChatAsync(model)).Status, new[] { 200, 503 });
        }
        while (!back.IsCompleted);
        await back;

        // The stream of changes is there again: what changes now is heard.
        await Eventually.Holds(async () => (await newcomer.ChatAsync(model)).Status == 200, "the unused key works");
        await cluster.Admin.PostAsync("/key/delete", new { keys = new[] { key.Key } });
        var stopped = Stopwatch.GetTimestamp();
        await Eventually.Is(() => team.ChatAsync(model), static answer => answer.Status == 401, "the deleted key stops", TimeSpan.FromSeconds(5));
        Assert.True(Stopwatch.GetElapsedTime(stopped) < TimeSpan.FromSeconds(5));
        await cluster.Gateway.IsWholeAsync();
    }
}
