using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>
/// What stands behind the answers is away: RabbitMQ, Ledger, Metering, their databases. Teams see nothing of it, records wait where they are
/// safe, and afterwards the books are whole.
/// </summary>
[Collection(FailureCollection.Name)]
public sealed class BooksDownTests(FailureCluster cluster, ITestOutputHelper output)
{
    public static TheoryData<string> Programs => ["rabbit", "ledger", "metering", "postgres"];

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Killed_in_the_middle_of_a_burst_teams_see_nothing_and_the_books_are_whole_again(string program) =>
        await TeamsSeeNothingAsync(load => cluster.Gateway.KillAsync(program), program);

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Frozen_teams_see_nothing_and_the_books_are_whole_again(string program) => await TeamsSeeNothingAsync(
        async load =>
        {
            await using (await cluster.Gateway.FreezeAsync(program))
            {
                // Longer than a lease lives without a word, so that it is not only patience that is tested.
                await Eventually.Is(
                    () => cluster.Gateway.ProgramAsync(program), static now => !now.Healthy, $"{program} is seen to be ill", Failure.Limit);
                await load.AnsweredMoreAsync(100);
            }
        },
        program);

    [Theory]
    [InlineData("ledger")]
    [InlineData("postgres")]
    public async Task Frozen_a_budget_that_was_never_used_before_waits_for_it_with_503(string program)
    {
        await cluster.Gateway.IsWholeAsync();
        var model = ScriptedModels.NewModel();
        var (known, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = await cluster.AtEdgeAsync(key);
        using var other = await cluster.AtEdgeAsync(known);

        // Known to the edge, so that only the money is asked for.
        (await team.GetAsync("/v1/models")).IsOk();
        (await other.ChatAsync(model)).IsOk();
        await using (await cluster.Gateway.FreezeAsync(program))
        {
            var answer = await team.ChatAsync(model);
            answer.IsError(503, "temporarily_unavailable");
            Assert.NotNull(answer.Header("Retry-After"));
            (await other.ChatAsync(model)).IsOk();
        }

        await Eventually.Holds(async () => (await team.ChatAsync(model)).Status == 200, $"the budget opens when {program} is back", Failure.Limit);
        await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}", Failure.Limit);
        await cluster.Gateway.IsWholeAsync();
    }

    private async Task TeamsSeeNothingAsync(Func<Load, Task> fail, string program)
    {
        await cluster.Gateway.IsWholeAsync();
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var first = await cluster.AtEdgeAsync(key, "edge-1");
        using var second = await cluster.AtEdgeAsync(key, "edge-2");
        await using var load = Load.Start(model, 6, first, second);
        await load.AnsweredMoreAsync(60);

        await fail(load);

        await load.AnsweredMoreAsync(60);
        await load.StopAsync();
        output.WriteLine($"{program}: {load}");
        Assert.Empty(load.Refused);
        Assert.Equal(0, load.Broken);
        var books = await cluster.Books.HaveAllAsync(key.Id, load.Answered, $"user/{userId}", Failure.Limit);
        output.WriteLine($"{books}");
        Assert.Equal(load.Answered.Count, books.Usage.Rows);
        Assert.Equal(load.Answered.Count * ScriptedModels.Cost, books.Window!.Spent);
        await cluster.Gateway.IsWholeAsync();
    }
}
