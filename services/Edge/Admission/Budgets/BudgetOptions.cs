using System.ComponentModel.DataAnnotations;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>How this edge leases budgets. Section <c>Gateway:Budgets</c>.</summary>
internal sealed class BudgetOptions
{
    /// <summary>How long a request may wait for others to settle before the budget refuses it: <c>budget_wait</c> of config.yaml.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a request near the limit may wait for the first request of its kind, while nothing is known of what that kind costs.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan LearnWait { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a request may wait for a budget that is rebuilt after a restart or a loss of Redis: longer than edges have to say what they
    /// hold, so that the first requests after a restart are answered late instead of refused.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan RebuildWait { get; init; } = TimeSpan.FromSeconds(17);

    /// <summary>How long an edge takes nothing ahead of its requests after another one has called back what it held.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan RecallMemory { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a lease may be used without a word from Redis. Ledger takes back what was silent for longer.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:05:00")]
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>How often a lease that is held says so.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:01:00")]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>After this long without a request what is held goes back.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait for Ledger when a window must be opened.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:30")]
    public TimeSpan LedgerTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a refusal is repeated without asking Redis again, in milliseconds: a refused request must be cheap.</summary>
    [Range(0, 10_000)]
    public int RefusalMemoryMilliseconds { get; init; } = 50;

    /// <summary>The most scripts called in one go for the requests that wait.</summary>
    [Range(1, 1_000)]
    public int RoundsMax { get; init; } = 64;

    /// <summary>The most windows that this edge holds leases on; the idle ones are forgotten first.</summary>
    [Range(100, 10_000_000)]
    public int LeasesMax { get; init; } = 200_000;

    /// <summary>
    /// The most forgotten leases of open windows whose totals are remembered; at the bound they are dropped, and what Redis has of this process
    /// counts as charged.
    /// </summary>
    [Range(100, 100_000_000)]
    public int RetiredMax { get; init; } = 1_000_000;
}
