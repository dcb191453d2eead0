using System.ComponentModel.DataAnnotations;

namespace Gateway.Edge.Admission.Rates;

/// <summary>How this edge leases rate limits. Section <c>Gateway:Rates</c>. Every edge of a cluster must have the same.</summary>
internal sealed class RateOptions
{
    /// <summary>How many buckets a window has: what was used is forgotten bucket by bucket.</summary>
    public const int Buckets = 240;

    /// <summary>The length of the window that slides: "per minute" of a limit. Other lengths are for tests.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long permits taken ahead may wait to be used. What an edge that dies held counts for this much longer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait for Redis before a request is told that nobody can say (503).</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:30")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After a restart of Redis, windows that it does not know stay closed for so long: it may have lost them, and every edge first tells
    /// again what it has used.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the slots (parallel requests) of an edge that is silent stay taken.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan SlotTimeToLive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a refusal is repeated without asking Redis again: a refused request must be cheap.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan RefusalMemory { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>After this long without a request what is held goes back.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A limit that nobody used for this long is forgotten; at least the window and the hold together.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "1.00:00:00")]
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most requests that wait for Redis at one limit; one more is refused (503).</summary>
    [Range(1, 1_000_000)]
    public int WaitersMax { get; init; } = 10_000;

    /// <summary>The most limits that this edge keeps in memory; beyond it, those are forgotten first that count for nothing any more.</summary>
    [Range(100, 10_000_000)]
    public int GatesMax { get; init; } = 100_000;

    internal long WindowMs => (long)Window.TotalMilliseconds;

    internal long HoldMs => (long)Hold.TotalMilliseconds;

    /// <summary>How long a permit taken for a request that waits for it may take to arrive.</summary>
    internal long ShortHoldMs => Math.Min(HoldMs, Math.Max(20, WindowMs / 600));

    internal long TimeoutMs => (long)Timeout.TotalMilliseconds;

    internal long SettleMs => (long)Settle.TotalMilliseconds;

    internal long IdleMs => (long)IdleAfter.TotalMilliseconds;

    internal long SlotMs => (long)SlotTimeToLive.TotalMilliseconds;

    internal RateWindow Rule => new(WindowMs, Math.Max(1, WindowMs / Buckets));
}
