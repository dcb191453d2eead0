using System.Diagnostics;
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
        // Fifty kills on a busy machine are a million requests.
        var (rows, answered, upstream) = await Strikes.UnderLoadAsync(cluster, output, Kills, dollars: 1_000_000m, edge => cluster.Gateway.KillAsync(edge));

        Assert.InRange(rows, answered, upstream);
    }

    [Fact]
    public async Task In_the_middle_of_a_race_and_its_records_come_late_the_budget_is_not_overspent_meanwhile()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(50 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await Race.TeachEveryEdgeAsync(cluster, model);

        var taught = cluster.Upstream.RequestsOf(model).Count;
        List<Calls.Answer> answered;
        var restarts = (await cluster.Gateway.ProgramAsync("edge-1")).Restarts;
        await using (await cluster.Gateway.FreezeAsync("rabbit"))
        {
            // Half of the budget is charged at one edge, which dies before it has said so to anybody.
            answered = [.. Race.Answered(await Race.ChatAsync(first, model, 25, Race.Text))];
            Assert.Equal(25, answered.Count);
            await cluster.Gateway.SendAsync("edge-1", Signal.Kill);
            await Eventually.Holds(
                async () => await cluster.Books.HeldBySilentEdgesAsync($"user/{userId}") > 0, "Ledger has noticed that the edge is silent", Failure.Limit);

            // The time to live of its lease is over: what it held may have been charged, so nobody gets it.
            answered.AddRange(Race.Answered(await Race.ChatAsync(second, model, 200, Race.Text)));
            output.WriteLine($"answered {answered.Count} of 50 before the dead edge's records came");
            Assert.InRange(cluster.Upstream.RequestsOf(model).Count - taught, 25, 50);
        }

        await cluster.Gateway.IsBackAsync("edge-1", restarts);
        var books = await cluster.Books.HaveAllAsync(key.Id, [.. answered.Select(static answer => answer.RequestId)], $"user/{userId}", Failure.Limit);
        Assert.Equal(answered.Count * ScriptedModels.Cost, books.Window!.Spent);

        // Now it is known what it charged, and the rest can be spent to the last nano-dollar.
        using var team = cluster.Team(key);
        answered.AddRange(Race.Answered(await Race.ChatAsync(team, model, 100, Race.Text)));
        var end = await cluster.Books.HaveAllAsync(key.Id, [.. answered.Select(static answer => answer.RequestId)], $"user/{userId}", Failure.Limit);
        Assert.Equal((50, end.Window!.Limit), (answered.Count, end.Window.Spent));
        Assert.Equal(50, cluster.Upstream.RequestsOf(model).Count - taught);
    }

    [Fact]
    public async Task In_the_middle_of_a_race_the_budget_holds_and_what_the_dead_edge_held_can_be_spent_again()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(50 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        var gate = Race.Gate(cluster.Upstream, model);

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

    [Fact]
    public async Task Under_load_what_it_held_can_be_spent_again_when_its_records_are_sent()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        var held = new List<(TimeSpan Back, long Leased)>();
        for (var kill = 0; kill < 3; kill++)
        {
            // All of the load at the one that dies: what is held of the budget afterwards is what it held.
            using var first = await cluster.AtEdgeAsync(key, "edge-1");
            await using var load = Load.Start(model, 8, first);
            await load.AnsweredMoreAsync(200);
            var restarts = (await cluster.Gateway.ProgramAsync("edge-1")).Restarts;
            await cluster.Gateway.SendAsync("edge-1", Signal.Kill);
            var died = Stopwatch.GetTimestamp();
            await load.StopAsync();
            var leased = (await cluster.Books.WindowAsync($"user/{userId}"))!.Leased;
            await Eventually.Is(() => cluster.Books.WindowAsync($"user/{userId}"), static window => window!.Leased == 0, "nothing is held", Failure.Limit);
            held.Add((Stopwatch.GetElapsedTime(died), leased));
            await cluster.Gateway.IsBackAsync("edge-1", restarts);
        }

        output.WriteLine($"held, and back after: {string.Join(", ", held.Select(static kill => string.Create(CultureInfo.InvariantCulture, $"{kill.Leased / 1e9:0.000} dollars {kill.Back.TotalSeconds:0.0} s")))}");
        Assert.All(held, static kill => Assert.InRange(kill.Leased, 1, long.MaxValue));
        // A lease's time to live.
        Assert.All(held, static kill => Assert.InRange(kill.Back, TimeSpan.Zero, TimeSpan.FromSeconds(15)));
    }
}
