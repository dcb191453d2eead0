using System.Diagnostics;
using System.Threading.Channels;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Load;

/// <summary>Sends requests at a fixed rate, whether or not earlier ones are answered: as many independent users do.</summary>
internal static class OpenLoad
{
    public static async Task<LoadResult> RunAsync(Peer peer, byte[] body, double perSecond, int connections, TimeSpan span, CancellationToken cancellation)
    {
        var times = new Distribution();
        long failures = 0;
        // Full: nobody is free to send. The request is then missing from the count of answers, and seen as a failure.
        var due = Channel.CreateBounded<long>(new BoundedChannelOptions(connections) { FullMode = BoundedChannelFullMode.Wait });
        var callers = Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var connection = new Connection(peer, body);
            await foreach (var _ in due.Reader.ReadAllAsync(cancellation))
            {
                var answer = await connection.CallAsync(null, cancellation);
                times.Add(answer.Total);
                if (answer.Status != 200)
                {
                    Interlocked.Increment(ref failures);
                }
            }
        }, cancellation)).ToArray();

        var began = Stopwatch.GetTimestamp();
        long sent = 0;
        while (Stopwatch.GetElapsedTime(began) < span)
        {
            for (; sent < Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond; sent++)
            {
                if (!due.Writer.TryWrite(sent))
                {
                    Interlocked.Increment(ref failures);
                }
            }

            await Task.Delay(1, cancellation);
        }

        due.Writer.Complete();
        await Task.WhenAll(callers);
        return new LoadResult(times.Count, failures, Stopwatch.GetElapsedTime(began).TotalSeconds, times.Percentile(50), times.Percentile(99));
    }
}
