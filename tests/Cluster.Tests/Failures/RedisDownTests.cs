using System.Diagnostics;
using Gateway.Cluster.Tests.Budgets;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>Redis is away: requests go on while leases last, then they are told to come again; never is more spent than there is.</summary>
[Collection(FailureCollection.Name)]
public sealed class RedisDownTests(FailureCluster cluster, ITestOutputHelper output)
{
    [Fact]
    public async Task Frozen_requests_go_on_while_leases_last_and_then_get_503_with_a_time()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(100m);
        var free = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("without-budget") });
        using var team = await cluster.AtEdgeAsync(key);
        using var unbudgeted = await cluster.AtEdgeAsync(free);
        var answered = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            answered.Add((await team.ChatAsync(model)).RequestId);
        }

        (await unbudgeted.ChatAsync(model)).IsOk();
        var servedFromLease = 0;
        await using (await cluster.Gateway.FreezeAsync("redis"))
        {
            Answer answer;
            var began = Stopwatch.GetTimestamp();
            while ((answer = await team.ChatAsync(model, maxTokens: 30)).Status == 200)
            {
                servedFromLease++;
                answered.Add(answer.RequestId);
                Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1), "A lease is used for longer than it lives.");
            }

            answer.IsError(503, "temporarily_unavailable");
            Assert.NotNull(answer.Header("Retry-After"));

            // A hanging Redis costs a bounded wait, and a key without a budget nothing (T-49).
            began = Stopwatch.GetTimestamp();
            (await team.ChatAsync(model, maxTokens: 30)).IsError(503, "temporarily_unavailable");
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(10), "A request waits for Redis for a bounded time.");
            (await unbudgeted.ChatAsync(model)).IsOk();
        }

        output.WriteLine($"served from the lease: {servedFromLease}");
        await Eventually.Holds(
            async () =>
            {
                var answer = await team.ChatAsync(model);
                if (answer.Status == 200)
                {
                    answered.Add(answer.RequestId);
                }

                return answer.Status == 200;
            },
            "the team is served when Redis is back");
        await cluster.Books.HaveAllAsync(key.Id, answered, $"user/{userId}", Failure.Limit);
        await cluster.Gateway.IsWholeAsync();
    }

    [Theory]
    [InlineData("killed")]
    [InlineData("emptied")]
    public async Task In_the_middle_of_a_race_for_a_budget_it_holds_to_the_nano_dollar(string way)
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(300 * ScriptedModels.Cost / 1_000_000_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await using var load = Load.StartAlike(model, 8, first, second);
        await load.AnsweredMoreAsync(60);

        if (way == "killed")
        {
            await cluster.Gateway.KillAsync("redis");
        }
        else
        {
            await cluster.Books.LoseRedisAsync();
        }

        // The rest of the budget is spent after the loss, and then no more.
        await Eventually.Is(
            () => Task.FromResult(load.Refused.Count(static refusal => refusal.StartsWith("429", StringComparison.Ordinal))), static refusals => refusals >= 20, $"the budget ends ({load})", Failure.Limit);
        await load.StopAsync();

        output.WriteLine($"{way}: {load}");
        var books = await cluster.Books.HaveAllAsync(key.Id, load.Answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        output.WriteLine(string.Join(", ", (await cluster.Books.OutcomesAsync(key.Id)).Select(static outcome => $"{outcome.Key}: {outcome.Value}")));
        Assert.Equal("", string.Join("; ", await cluster.Books.OddlyChargedAsync(key.Id, ScriptedModels.Cost)));
        Assert.True(books.Window!.Spent <= books.Window.Limit, $"Overspent: {books.Window}");
        Assert.All(load.Refused, static refusal => Assert.Contains(refusal[..3], new[] { "429", "503", "200" }));
        await cluster.Gateway.IsWholeAsync();

        // Nothing of it is lost for ever: what was not spent in the confusion can be spent now.
        using var team = cluster.Team(key);
        var left = (books.Window.Limit - books.Window.Spent) / ScriptedModels.Cost;
        Assert.Equal(left, Race.Answered(await Race.ChatAsync(team, model, 50, "Hello!")).Count);
    }
}
