using System.Globalization;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Load;

/// <summary>What one caller does holds up no other. Ratios of time belong to ./bench: here nobody waits for anybody, on any machine.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class ManyAtOnceTests(ScriptedCluster cluster)
{
    private const int Streams = 300;

    [Fact]
    public async Task T78_Streams_that_wait_hold_no_thread_of_the_edge_and_all_end_when_their_provider_goes_on()
    {
        var model = ScriptedModels.NewModel();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Upstream.Script(model, exchange => exchange.Send(
            OpenAiReplies.Pieces(model, "Wait ").Wait(goOn.Task).Data(OpenAiReplies.Chunk(model, "for it.")).Data(OpenAiReplies.Chunk(model, null, "stop")).Done()));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var team = cluster.Team(key);
        (await team.ChatAsync(ScriptedModels.NewModel())).IsOk();

        var streams = await Task.WhenAll(Enumerable.Range(0, Streams).Select(async _ =>
        {
            var stream = await team.StreamAsync(model);
            Assert.Contains("Wait ", await stream.NextAsync(), StringComparison.Ordinal);
            return stream;
        }));

        // Three edges share them. A thread for each would be a hundred more in each edge than its pool ever needs.
        foreach (var edge in await EdgesAsync())
        {
            Assert.InRange(ThreadsOf(edge), 1, 80);
        }

        goOn.SetResult();
        foreach (var stream in streams)
        {
            await stream.ToEndAsync().WaitAsync(Eventually.Limit);
            Assert.True(stream.IsDone);
            Assert.Equal("Wait for it.", stream.Text);
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task T58_While_long_prompts_are_read_short_ones_are_answered()
    {
        var longModel = ScriptedModels.NewModel();
        var shortModel = ScriptedModels.NewModel();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Their answers wait for the short ones: were these held up behind them, nothing here would ever end.
        cluster.Upstream.Script(longModel, async exchange =>
        {
            await release.Task;
            await exchange.Send(OpenAiReplies.Whole(longModel, "Read.", 10, 25));
        });
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(100_000m);
        using var team = cluster.Team(key);
        (await team.ChatAsync(shortModel)).IsOk();
        var prompt = string.Concat(Enumerable.Repeat("A sentence of a long prompt, as it is said again and again. ", 60_000));

        var reading = Enumerable.Range(0, 6).Select(_ => team.ChatAsync(longModel, prompt)).ToArray();
        await cluster.Upstream.WaitForRequestsAsync(longModel);
        for (var i = 0; i < 100; i++)
        {
            (await team.ChatAsync(shortModel).WaitAsync(Eventually.Limit)).IsOk();
        }

        release.SetResult();
        foreach (var answer in await Task.WhenAll(reading))
        {
            answer.IsOk();
        }
    }

    [Fact]
    public async Task T60_What_callers_make_up_makes_no_series_of_its_own()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var team = cluster.Team(key);
        var model = ScriptedModels.NewModel();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var stranger = cluster.Team($"sk-made-up-{i}");
            Assert.Equal(401, (await stranger.ChatAsync(model)).Status);
            Assert.Equal(404, (await team.ChatAsync($"made-up-{i}")).Status);
            var body = TeamClient.Body(model, "Hello!");
            body["user"] = $"made-up-{i}";
            body["metadata"] = new System.Text.Json.Nodes.JsonObject { ["made-up"] = i.ToString(CultureInfo.InvariantCulture) };
            (await team.PostAsync("/v1/chat/completions", body)).IsOk();
        }));

        foreach (var edge in await EdgesAsync(static edge => edge.Endpoints[0]))
        {
            using var http = new HttpClient();
            Assert.DoesNotContain("made-up", await http.GetStringAsync(new Uri($"{edge}/metrics")), StringComparison.Ordinal);
        }
    }

    private async Task<T[]> EdgesAsync<T>(Func<TestKit.ClusterProgram, T> what) =>
        [.. (await cluster.Gateway.ProgramsAsync()).Where(static program => program.Name.StartsWith("edge", StringComparison.Ordinal)).Select(what)];

    private Task<int[]> EdgesAsync() => EdgesAsync(static edge => edge.ProcessId!.Value);

    private static int ThreadsOf(int process) =>
        int.Parse(File.ReadLines($"/proc/{process}/status").First(static line => line.StartsWith("Threads:", StringComparison.Ordinal))["Threads:".Length..], CultureInfo.InvariantCulture);
}
