using System.Diagnostics;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Load;

/// <summary>What many streams saw.</summary>
internal sealed class StreamResult
{
    private long streams;
    private long frames;
    private long broken;
    private long missing;
    private long stalled;

    public Distribution FirstFrames { get; } = new();

    public Distribution Gaps { get; } = new();

    public long Streams => streams;

    public long Frames => frames;

    /// <summary>Streams that did not come to their end, or were refused.</summary>
    public long Broken => broken;

    public long Missing => missing;

    /// <summary>Streams with a gap longer than they may have.</summary>
    public long Stalled => stalled;

    public double Seconds { get; set; }

    public void Take(in Answer answer, int framesExpected, double gapMax)
    {
        Interlocked.Increment(ref streams);
        Interlocked.Add(ref frames, answer.Frames);
        if (answer.Status != 200 || !answer.Whole)
        {
            Interlocked.Increment(ref broken);
        }
        else
        {
            FirstFrames.Add(answer.FirstFrame);
        }

        Interlocked.Add(ref missing, Math.Max(0, framesExpected - answer.Frames));
        if (answer.LongestGap > gapMax)
        {
            Interlocked.Increment(ref stalled);
        }
    }
}

/// <summary>Opens streams and reads them.</summary>
internal static class StreamLoad
{
    /// <summary>Each connection opens the next stream when the last one has ended, until the time is over.</summary>
    public static async Task<StreamResult> LoopAsync(Peer peer, byte[] body, int connections, TimeSpan span, int framesExpected, CancellationToken cancellation)
    {
        var result = new StreamResult();
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var connection = new Connection(peer, body);
            while (Stopwatch.GetElapsedTime(began) < span)
            {
                result.Take(await connection.CallAsync(result.Gaps.Add, cancellation), framesExpected, double.MaxValue);
            }
        }, cancellation)));
        result.Seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return result;
    }

    /// <summary>All streams once, opened evenly over a time.</summary>
    /// <param name="whileOpen">Runs when the last one has been opened.</param>
    public static async Task<StreamResult> TogetherAsync(
        Peer peer, byte[] body, int streams, TimeSpan opening, int framesExpected, double gapMax, Action whileOpen, CancellationToken cancellation)
    {
        var result = new StreamResult();
        var began = Stopwatch.GetTimestamp();
        List<Task> open = [];
        for (var stream = 0; stream < streams; stream++)
        {
            var due = (opening * ((double)stream / streams)) - Stopwatch.GetElapsedTime(began);
            if (due > TimeSpan.FromMilliseconds(1))
            {
                await Task.Delay(due, cancellation);
            }

            open.Add(Task.Run(async () =>
            {
                using var connection = new Connection(peer, body);
                result.Take(await connection.CallAsync(result.Gaps.Add, cancellation), framesExpected, gapMax);
            }, cancellation));
        }

        // A pace later the last ones stream too.
        await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        whileOpen();
        await Task.WhenAll(open);
        result.Seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return result;
    }
}
