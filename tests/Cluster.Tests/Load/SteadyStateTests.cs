using System.Diagnostics;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Load;

/// <summary>
/// What many requests of one team ask of the stores. Leases and batches are made by the clock, whatever comes, so each second is allowed a few;
/// beyond that at most the shares that the design promises. <c>./bench</c> holds it to these alone, on a machine that has nothing else to do.
/// </summary>
[Collection(MissionCollection.Name)]
public sealed class SteadyStateTests(MissionCluster cluster, ITestOutputHelper output)
{
    private const int Requests = 4_000;
    private const double CommandsASecond = 10;
    private const double TransactionsASecond = 15;

    [Fact]
    public async Task Requests_ask_next_to_nothing_of_Redis_nothing_of_PostgreSQL_and_are_written_down_in_batches()
    {
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(100m);
        using var team = cluster.Team(key);
        (await team.ChatAsync("gpt-4")).IsOk();
        await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        using var redis = await Books.Books.WatchRedisAsync(cluster.Gateway);
        var (transactions, began) = (await cluster.Books.WritingTransactionsAsync(), Stopwatch.GetTimestamp());

        var left = Requests;
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                (await team.ChatAsync("gpt-4")).IsOk();
            }
        }));
        await cluster.Books.AtRestAsync(key.Id, Requests + 1, $"user/{userId}");

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var edge = await cluster.Gateway.ProgramAsync("edge");
        var commands = redis.Of(edge.ProcessId!.Value);
        transactions = await cluster.Books.WritingTransactionsAsync() - transactions;
        output.WriteLine($"{Requests} requests in {seconds:0.0} s: {commands} commands of the edge's to Redis, {transactions} transactions that wrote");
        Assert.InRange(commands, 1, (0.05 * Requests) + (CommandsASecond * seconds));
        Assert.InRange(transactions, 1, (0.005 * Requests) + (TransactionsASecond * seconds));

        // An edge could not ask PostgreSQL if it wanted to: it does not know where one is.
        Assert.DoesNotContain("Username=postgres", await File.ReadAllTextAsync($"/proc/{edge.ProcessId}/environ"), StringComparison.OrdinalIgnoreCase);
    }
}
