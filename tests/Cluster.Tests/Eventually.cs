using System.Diagnostics;
using System.Globalization;

namespace Gateway.Cluster.Tests;

/// <summary>Waits for what the cluster does in its own time: records travel, leases go home, processes come back.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    /// <summary>Long enough for a machine that is busy with other things.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(90);

    /// <summary>Looks until the value is as wanted and returns it; after the limit the test fails with the last one.</summary>
    public static async Task<T> Is<T>(Func<Task<T>> look, Func<T, bool> wanted, string what, TimeSpan? limit = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var value = await look();
            if (wanted(value))
            {
                return value;
            }

            if (Stopwatch.GetElapsedTime(started) > (limit ?? Limit))
            {
                throw new TimeoutException(string.Create(
                    CultureInfo.InvariantCulture, $"After {(limit ?? Limit).TotalSeconds:0.#} s it is not so: {what}. The last look gave: {value}"));
            }

            await Task.Delay(Often);
        }
    }

    /// <summary>What a polite caller does between two calls that are refused. Nothing may depend on how long it is.</summary>
    public static Task PauseAsync(TimeSpan pause) => Task.Delay(pause < TimeSpan.Zero ? TimeSpan.Zero : pause);

    public static Task Holds(Func<Task<bool>> look, string what, TimeSpan? limit = null) => Is(look, static holds => holds, what, limit);
}
