using System.Globalization;
using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.Launcher.Servers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>kill -9 of an edge: its records are in its spool, its leases come home, the other edges go on.</summary>
[Collection(FailureCollection.Name)]
public sealed class EdgeKilledTests(FailureCluster cluster, ITestOutputHelper output)
{
    /// <summary>How often an edge is killed under load; the nightly run sets the variable to 50.</summary>
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("GATEWAY_TEST_KILLS") ?? "5", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Under_load_again_and_again_no_row_of_an_answered_request_is_missing_and_none_is_double()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await using var load = Load.Start(model, 8, first, second);
        for (var kill = 0; kill < Kills; kill++)
        {
            await load.AnsweredMoreAsync(40);
            await cluster.Gateway.KillAsync(kill % 2 == 0 ? "edge-1" : "edge-2");
        }

        await load.AnsweredMoreAsync(40);
        await load.StopAsync();

        output.WriteLine($"{Kills} kills: {load}");
        Assert.All(load.Refused, static refusal => Assert.StartsWith("503", refusal, StringComparison.Ordinal));
        var books = await cluster.Books.HaveAllAsync(key.Id, load.Answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        Assert.InRange(books.Usage.Rows, load.Answered.Count, cluster.Upstream.RequestsOf(model).Count);
    }

    [Fact]
    public async Task In_the_middle_of_a_race_the_budget_holds_and_what_the_dead_edge_held_can_be_spent_again()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(50 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Upstream.Script(model, async exchange =>
        {
            await gate.Task.WaitAsync(exchange.Ended);
            await ScriptedModels.OrdinaryAsync(exchange);
        });

        // The budget is spread over both edges and under way at the provider when one of them dies.
        var race = Task.WhenAll(Enumerable.Range(0, 500).Select(async number =>
        {
            try
            {
                return await (number % 2 == 0 ? first : second).ChatAsync(model);
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }));
        await cluster.Upstream.WaitForRequestsAsync(model, 1);
        var restarts = (await cluster.Gateway.ProgramAsync("edge-1")).Restarts;
        await cluster.Gateway.SendAsync("edge-1", Signal.Kill);
        gate.SetResult();
        var answers = (await race).OfType<Calls.Answer>().ToList();
        await cluster.Gateway.IsBackAsync("edge-1", restarts);
        var answered = answers.Where(static answer => answer.Status == 200).Select(static answer => answer.RequestId).ToList();
        output.WriteLine($"answered {answered.Count}, reached the provider {cluster.Upstream.RequestsOf(model).Count}");
        var books = await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        Assert.True(books.Window!.Spent <= books.Window.Limit, $"Overspent: {books.Window}");

        // Everything that is not spent can be spent.
        var left = (books.Window.Limit - books.Window.Spent) / ScriptedModels.Cost;
        using var team = cluster.Team(key);
        var more = Race.Answered(await Race.ChatAsync(team, model, 100, "Hello!"));
        Assert.Equal(left, more.Count);
        var end = await cluster.Books.HaveAllAsync(key.Id, [.. answered, .. more.Select(static answer => answer.RequestId)], $"user/{userId}", Failure.Limit);
        Assert.Equal(end.Window!.Limit, end.Window.Spent);
    }
}
