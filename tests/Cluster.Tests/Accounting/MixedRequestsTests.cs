using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Accounting;

/// <summary>After a thousand requests that ended in every way there is, all books say the same.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class MixedRequestsTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    private const int AtOnce = 48;

    private enum Way
    {
        Whole,
        Streamed,
        Failed,
        LeftInTheMiddle,
        LeftBeforeTheAnswer,
        CutByTheProvider,
    }

    [Fact]
    public async Task A_thousand_mixed_requests_are_the_same_rows_entries_and_nano_dollars_everywhere()
    {
        var model = ScriptedModels.NewModel();
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(1_000m);
        using var team = cluster.Team(key);
        var arrived = new ConcurrentDictionary<int, TaskCompletionSource>();
        cluster.Upstream.Script(model, exchange => AnswerAsync(exchange, model, arrived));

        await Parallel.ForEachAsync(Enumerable.Range(0, 1_000), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, ended) =>
        {
            switch (WayOf(number))
            {
                case Way.Whole:
                    (await team.ChatAsync(model, Mark(number), cancellation: ended)).IsOk();
                    break;
                case Way.Streamed:
                    await using (var stream = await team.StreamAsync(model, Mark(number), withUsage: number % 4 == 0))
                    {
                        Assert.True((await stream.ToEndAsync()).IsDone);
                    }

                    break;
                case Way.Failed:
                    (await team.ChatAsync(model, Mark(number), cancellation: ended)).IsError(502, "provider_error");
                    break;
                case Way.LeftInTheMiddle:
                    await using (var stream = await team.StreamAsync(model, Mark(number)))
                    {
                        Assert.NotNull(await stream.NextAsync());
                    }

                    break;
                case Way.LeftBeforeTheAnswer:
                    using (var leaving = new CancellationTokenSource())
                    {
                        var call = team.ChatAsync(model, Mark(number), cancellation: leaving.Token);
                        await arrived.GetOrAdd(number, static _ => new()).Task;
                        await leaving.CancelAsync();
                        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
                    }

                    break;
                default:
                    await using (var stream = await team.StreamAsync(model, Mark(number)))
                    {
                        Assert.False((await stream.ToEndAsync()).IsDone);
                    }

                    break;
            }
        });

        var reached = cluster.Upstream.RequestsOf(model).Select(NumberOf).ToHashSet();
        Assert.Equal(1_000, reached.Count);
        var books = await cluster.Books.AtRestAsync(key.Id, reached.Count, $"user/{userId}");
        output.WriteLine($"{books}");
        Assert.Equal(1_000, (await cluster.Books.UsageIdsAsync(key.Id)).Distinct().Count());
        Assert.Equal((await cluster.Books.UsageIdsAsync(key.Id)).Order(), (await cluster.Books.JournalIdsAsync(key.Id)).Order());

        // The rows say how each request ended, and only those that brought something cost something.
        var ways = Enumerable.Range(0, 1_000).CountBy(WayOf).ToDictionary();
        var rows = await cluster.Books.OutcomesAsync(key.Id);
        output.WriteLine(string.Join(", ", rows.Select(static row => $"{row.Key}: {row.Value}")));
        Assert.Equal(new Tally(ways[Way.Whole] + ways[Way.Streamed], (ways[Way.Whole] + ways[Way.Streamed]) * ScriptedModels.Cost), rows[Outcome.Completed]);
        Assert.Equal(new Tally(ways[Way.Failed], 0), rows[Outcome.Failed]);
        Assert.Equal(ways[Way.LeftInTheMiddle] + ways[Way.LeftBeforeTheAnswer], rows[Outcome.ClientClosed].Rows);
        Assert.Equal(ways[Way.CutByTheProvider], rows[Outcome.UpstreamCut].Rows);
        Assert.True(rows[Outcome.UpstreamCut].Cost >= ways[Way.CutByTheProvider] * ScriptedModels.OutputPrice, "What a broken stream brought was not charged.");
        Assert.True(rows[Outcome.ClientClosed].Cost >= ways[Way.LeftInTheMiddle] * ScriptedModels.OutputPrice, "What was produced for a client that left was not charged.");

        // And the reports that a person reads add up to it.
        var info = await cluster.Admin.GetAsync($"/key/info?key={key.Id}");
        Assert.Equal(books.Journal.Cost, info.GetProperty("info").GetProperty("spend").GetDecimal() * 1_000_000_000);
    }

    private static Way WayOf(int number) => (number % 10) switch
    {
        0 or 1 or 2 => Way.Whole,
        3 or 4 or 5 => Way.Streamed,
        6 => Way.Failed,
        7 => Way.LeftInTheMiddle,
        8 => Way.LeftBeforeTheAnswer,
        _ => Way.CutByTheProvider,
    };

    private static async Task AnswerAsync(Exchange exchange, string model, ConcurrentDictionary<int, TaskCompletionSource> arrived)
    {
        var number = NumberOf(exchange.Request);
        switch (WayOf(number))
        {
            case Way.Failed:
                await exchange.Send(Reply.Json(500, """{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}"""));
                break;
            case Way.LeftInTheMiddle:
                await exchange.Send(OpenAiReplies.Pieces(model, "There ", "is ", "more ").Hang());
                break;
            case Way.LeftBeforeTheAnswer:
                arrived.GetOrAdd(number, static _ => new()).TrySetResult();
                await exchange.Send(Reply.Json(200, "{}").WaitBeforeHead(Task.Delay(Timeout.Infinite)));
                break;
            case Way.CutByTheProvider:
                await exchange.Send(OpenAiReplies.Pieces(model, "This ", "breaks ").Cut());
                break;
            default:
                await ScriptedModels.OrdinaryAsync(exchange);
                break;
        }
    }

    private static string Mark(int number) => string.Create(CultureInfo.InvariantCulture, $"Request {number:0000}");

    private static int NumberOf(ReceivedRequest request) =>
        int.Parse(request.Json.GetProperty("messages")[0].GetProperty("content").GetString()!["Request ".Length..], CultureInfo.InvariantCulture);
}
