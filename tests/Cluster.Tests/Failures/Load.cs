using System.Collections.Concurrent;
using Gateway.Cluster.Tests.Calls;

namespace Gateway.Cluster.Tests.Failures;

/// <summary>
/// A team that calls without pause, whole and (unless it is told not to) streamed in turn, while something breaks. It notes what it saw: the ids of what was answered
/// to the last byte, every refusal, and what broke on the way.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly TeamClient[] teams;
    private readonly string model;
    private readonly bool streams;
    private readonly CancellationTokenSource stopping = new();
    // Far less than Retry-After says: the gateway must stand it, and the machine has other things to do.
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<Guid> answered = new();
    private readonly ConcurrentQueue<string> refused = new();
    private readonly int[] answeredBy;
    private readonly Task[] workers;
    private int broken;

    private Load(TeamClient[] teams, string model, int workers, bool streams)
    {
        this.streams = streams;
        this.teams = teams;
        answeredBy = new int[teams.Length];
        this.model = model;
        this.workers = [.. Enumerable.Range(0, workers).Select(number => Task.Run(() => CallAsync(number)))];
    }

    /// <summary>Requests of which the client saw the last byte.</summary>
    public IReadOnlyCollection<Guid> Answered => answered;

    /// <summary>Refusals: status and code.</summary>
    public IReadOnlyCollection<string> Refused => refused;

    /// <summary>Calls without an answer: refused connections, cut streams.</summary>
    public int Broken => Volatile.Read(ref broken);

    public static Load Start(string model, int workers, params TeamClient[] teams) => new(teams, model, workers, streams: true);

    /// <summary>Every request is the same to the byte, so that what one costs is known to the nano-dollar.</summary>
    public static Load StartAlike(string model, int workers, params TeamClient[] teams) => new(teams, model, workers, streams: false);

    /// <summary>Waits until so many more were answered, and every edge had its part: the load runs, or runs again, on all of them.</summary>
    public Task AnsweredMoreAsync(int more)
    {
        var (before, each) = (answered.Count, answeredBy.ToArray());
        return Eventually.Is(
            () => Task.FromResult((All: answered.Count - before, Least: each.Select((count, team) => Volatile.Read(ref answeredBy[team]) - count).Min())),
            now => now.All >= more && now.Least > 0, $"{more} more requests are answered ({this})", Failure.Limit);
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
        var which = number % teams.Length;
        var team = teams[which];
        for (var i = 0; !stopping.IsCancellationRequested; i++)
        {
            try
            {
                if (!streams || i % 2 == 0)
                {
                    await NoteAsync(which, await team.ChatAsync(model, "Hello!"));
                }
                else
                {
                    await using var stream = await team.StreamAsync(model, "Hello!");
                    await stream.ToEndAsync();
                    await NoteAsync(which, stream);
                }
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException)
            {
                // The edge is gone or going; a client comes again, but not a thousand times a second.
                Interlocked.Increment(ref broken);
                await Eventually.PauseAsync(AfterRefusal);
            }
        }
    }

    private async Task NoteAsync(int team, Answer answer)
    {
        if (answer.Status == 200)
        {
            answered.Enqueue(answer.RequestId);
            Interlocked.Increment(ref answeredBy[team]);
        }
        else
        {
            refused.Enqueue($"{answer.Status} {answer.Code} ({answer.Message})");
            await Eventually.PauseAsync(AfterRefusal);
        }
    }

    private async Task NoteAsync(int team, ChatStream stream)
    {
        if (stream.IsDone)
        {
            answered.Enqueue(stream.RequestId);
            Interlocked.Increment(ref answeredBy[team]);
        }
        else if (stream.Status != 200)
        {
            refused.Enqueue($"{stream.Status} (stream)");
            await Eventually.PauseAsync(AfterRefusal);
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
