using System.Collections.Concurrent;
using Gateway.Cluster.Tests.Calls;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>
/// A team that calls without pause, whole and streamed in turn, while something breaks. It notes what it saw: the ids of what was answered
/// to the last byte, every refusal, and what broke on the way.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly TeamClient[] teams;
    private readonly string model;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentQueue<Guid> answered = new();
    private readonly ConcurrentQueue<string> refused = new();
    private readonly Task[] workers;
    private int broken;

    private Load(TeamClient[] teams, string model, int workers)
    {
        this.teams = teams;
        this.model = model;
        this.workers = [.. Enumerable.Range(0, workers).Select(number => Task.Run(() => CallAsync(number)))];
    }

    /// <summary>Requests of which the client saw the last byte.</summary>
    public IReadOnlyCollection<Guid> Answered => answered;

    /// <summary>Refusals: status and code.</summary>
    public IReadOnlyCollection<string> Refused => refused;

    /// <summary>Calls without an answer: refused connections, cut streams.</summary>
    public int Broken => Volatile.Read(ref broken);

    public static Load Start(string model, int workers, params TeamClient[] teams) => new(teams, model, workers);

    /// <summary>Waits until so many more were answered: the load runs, or runs again.</summary>
    public Task AnsweredMoreAsync(int more)
    {
        var before = answered.Count;
        return Eventually.Is(() => Task.FromResult(answered.Count - before), count => count >= more, $"{more} more requests are answered ({this})", Failure.Limit);
    }

    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(workers);
    }

    public override string ToString() =>
        $"{answered.Count} answered, {Broken} broken, refused: {string.Join(", ", refused.CountBy(static code => code).Select(static code => $"{code.Value} x {code.Key}"))}";

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stopping.Dispose();
    }

    private async Task CallAsync(int number)
    {
        var team = teams[number % teams.Length];
        for (var i = 0; !stopping.IsCancellationRequested; i++)
        {
            try
            {
                if (i % 2 == 0)
                {
                    Note(await team.ChatAsync(model, "Hello!"));
                }
                else
                {
                    await using var stream = await team.StreamAsync(model, "Hello!");
                    await stream.ToEndAsync();
                    Note(stream);
                }
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException)
            {
                // The edge is gone or going; a client comes again, but not a thousand times a second.
                Interlocked.Increment(ref broken);
                await Task.Delay(20);
            }
        }
    }

    private void Note(Answer answer)
    {
        if (answer.Status == 200)
        {
            answered.Enqueue(answer.RequestId);
        }
        else
        {
            refused.Enqueue($"{answer.Status} {answer.Code}");
        }
    }

    private void Note(ChatStream stream)
    {
        if (stream.IsDone)
        {
            answered.Enqueue(stream.RequestId);
        }
        else if (stream.Status != 200)
        {
            refused.Enqueue($"{stream.Status} (stream)");
        }
        else if (stream.ErrorCode is { } code)
        {
            refused.Enqueue($"200 {code}");
        }
        else
        {
            Interlocked.Increment(ref broken);
        }
    }
}
