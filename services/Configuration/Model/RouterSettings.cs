using Gateway.Contracts;

namespace Gateway.Configuration;

/// <summary>How a deployment is chosen among those of one name.</summary>
public enum RoutingStrategy
{
    /// <summary>By chance, weighted by <c>weight</c>, else <c>rpm</c>, else <c>tpm</c>.</summary>
    SimpleShuffle,

    /// <summary>The one with the fewest requests under way.</summary>
    LeastBusy,

    /// <summary>The one with the most of its <c>tpm</c>/<c>rpm</c> left.</summary>
    UsageBased,

    /// <summary>The fastest of late.</summary>
    LatencyBased,

    /// <summary>The cheapest.</summary>
    CostBased,
}

/// <summary><c>router_settings</c>, with what <c>litellm_settings</c> says of the same things where it is silent.</summary>
public sealed record RouterSettings
{
    /// <summary><c>routing_strategy</c>.</summary>
    public RoutingStrategy Strategy { get; init; } = RoutingStrategy.SimpleShuffle;

    /// <summary>How long a latency counts (<c>routing_strategy_args.ttl</c>).</summary>
    public TimeSpan LatencyTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Deployments slower than the fastest by up to this share are as good (<c>routing_strategy_args.lowest_latency_buffer</c>).</summary>
    public decimal LowestLatencyBuffer { get; init; }

    /// <summary>Tries after the first one, within the group.</summary>
    public int NumRetries { get; init; } = 3;

    /// <summary>The least wait before another try.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>For a whole call.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Until the first chunk of a stream; null: <see cref="Timeout"/>.</summary>
    public TimeSpan? StreamTimeout { get; init; }

    /// <summary>Failures within a minute before a deployment rests.</summary>
    public int AllowedFails { get; init; } = 3;

    /// <summary>Whether <see cref="AllowedFails"/> was stated: a group of one deployment rests only then.</summary>
    public bool AllowedFailsIsStated { get; init; }

    /// <summary>How long it rests.</summary>
    public TimeSpan CooldownTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether no deployment ever rests.</summary>
    public bool DisableCooldowns { get; init; }

    /// <summary>Whether the context window is checked before a deployment is chosen.</summary>
    public bool EnablePreCallChecks { get; init; }

    /// <summary>Whether a request's tags choose among deployments.</summary>
    public bool EnableTagFiltering { get; init; }

    /// <summary>Whether one common tag is enough.</summary>
    public bool TagFilteringMatchAny { get; init; }

    /// <summary>How many fallbacks one request follows.</summary>
    public int MaxFallbacks { get; init; } = 5;

    /// <summary>By public name: what is tried when the group has failed. The key <c>*</c> is for every name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Fallbacks { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Tried for every name without fallbacks of its own.</summary>
    public IReadOnlyList<string> DefaultFallbacks { get; init; } = [];

    /// <summary>By public name: what is tried when the prompt is too long.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> ContextWindowFallbacks { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>By public name: what is tried when the provider's content policy refuses.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> ContentPolicyFallbacks { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Other names of public names.</summary>
    public IReadOnlyDictionary<string, ModelAlias> ModelGroupAlias { get; init; } = new Dictionary<string, ModelAlias>();

    /// <summary>Retries by kind of error, where they differ from <see cref="NumRetries"/>.</summary>
    public RetryPolicy RetryPolicy { get; init; } = new();

    /// <summary>By public name: <see cref="RetryPolicy"/> of that group.</summary>
    public IReadOnlyDictionary<string, RetryPolicy> ModelGroupRetryPolicy { get; init; } = new Dictionary<string, RetryPolicy>();

    /// <summary>Requests at once for a deployment that states none of its own.</summary>
    public int? DefaultMaxParallelRequests { get; init; }

    /// <summary>By provider: what may be spent there.</summary>
    public IReadOnlyDictionary<string, ProviderBudget> ProviderBudgets { get; init; } = new Dictionary<string, ProviderBudget>();
}

/// <summary>Another name of a public name.</summary>
/// <param name="Model">The public name meant.</param>
/// <param name="Hidden">Whether the list of models leaves it out.</param>
public sealed record ModelAlias(string Model, bool Hidden);

/// <summary>A provider's budget.</summary>
/// <param name="Limit"><c>budget_limit</c>.</param>
/// <param name="Period"><c>time_period</c>.</param>
public sealed record ProviderBudget(Money Limit, string? Period);

/// <summary>Retries by kind of error; null: the general number.</summary>
public sealed record RetryPolicy
{
    /// <summary><c>AuthenticationErrorRetries</c>.</summary>
    public int? Authentication { get; init; }

    /// <summary><c>TimeoutErrorRetries</c>.</summary>
    public int? Timeout { get; init; }

    /// <summary><c>RateLimitErrorRetries</c>.</summary>
    public int? RateLimit { get; init; }

    /// <summary><c>ContentPolicyViolationErrorRetries</c>.</summary>
    public int? ContentPolicyViolation { get; init; }

    /// <summary><c>InternalServerErrorRetries</c>.</summary>
    public int? InternalServerError { get; init; }

    /// <summary><c>BadRequestErrorRetries</c>.</summary>
    public int? BadRequest { get; init; }
}
