using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>Whether a key may be used.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<KeyStatus>))]
public enum KeyStatus
{
    /// <summary>It may be used.</summary>
    Active,

    /// <summary>An administrator blocked it (or its owner).</summary>
    Blocked,

    /// <summary>Its time is over.</summary>
    Expired,
}

/// <summary>What a caller may do on the admin API; LiteLLM's names in JSON.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CallerRole>))]
public enum CallerRole
{
    /// <summary>Calls models; sees and manages only what is its own.</summary>
    [JsonStringEnumMemberName("internal_user")]
    InternalUser,

    /// <summary>Sees its own, changes nothing.</summary>
    [JsonStringEnumMemberName("internal_user_viewer")]
    InternalUserViewer,

    /// <summary>Manages one organization.</summary>
    [JsonStringEnumMemberName("org_admin")]
    OrganizationAdmin,

    /// <summary>Sees everything, changes nothing.</summary>
    [JsonStringEnumMemberName("proxy_admin_viewer")]
    ProxyAdminViewer,

    /// <summary>The platform's administrator: the master key has this role.</summary>
    [JsonStringEnumMemberName("proxy_admin")]
    ProxyAdmin,
}

/// <summary>What a limit counts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LimitKind>))]
public enum LimitKind
{
    /// <summary>Requests in a sliding minute.</summary>
    RequestsPerMinute,

    /// <summary>Input and output tokens in a sliding minute.</summary>
    TokensPerMinute,

    /// <summary>Requests under way at once.</summary>
    ParallelRequests,
}

/// <summary>A rate limit of one owner.</summary>
/// <param name="Owner">Whose: <c>scope/owner</c>, as in <see cref="BudgetId"/>.</param>
/// <param name="Kind">What it counts.</param>
/// <param name="Limit">How many; at least 0.</param>
public sealed record LimitDefinition(string Owner, LimitKind Kind, long Limit);

/// <summary>A budget for one model, or for a pattern of them (LiteLLM's <c>model_max_budget</c>).</summary>
/// <param name="Model">The public name, or a pattern such as <c>anthropic/*</c>.</param>
/// <param name="Budget">The budget.</param>
public sealed record ModelBudget(string Model, BudgetDefinition Budget);

/// <summary>
/// Everything that an edge needs to know of one key: who it is, what it may call, and which budgets and limits it is under.
/// Auth makes it, edges cache it, <see cref="AccessChange"/> says when it is out of date.
/// </summary>
public sealed record AccessSnapshot
{
    /// <summary>The key's public id (64 hexadecimal digits; LiteLLM's <c>token</c>). Never the key itself.</summary>
    public required string KeyId { get; init; }

    /// <summary>Whether it may be used.</summary>
    public KeyStatus Status { get; init; }

    /// <summary>From when on it is expired; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The name that an administrator gave it; fit for metrics and logs.</summary>
    public string? KeyAlias { get; init; }

    /// <summary>Its role on the admin API.</summary>
    public CallerRole Role { get; init; }

    /// <summary>The user that it belongs to.</summary>
    public string? UserId { get; init; }

    /// <summary>The team that it belongs to.</summary>
    public string? TeamId { get; init; }

    /// <summary>The team's name.</summary>
    public string? TeamAlias { get; init; }

    /// <summary>The organization that it belongs to.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The models granted, by public name or pattern (<c>anthropic/*</c>); null for every model.</summary>
    public string[]? Models { get; init; }

    /// <summary>Which credential its calls use, by deployment, public model name or provider; null for the deployments' own everywhere.</summary>
    public Dictionary<string, string>? Credentials { get; init; }

    /// <summary>The routes granted; null for every route of its role.</summary>
    public string[]? AllowedRoutes { get; init; }

    /// <summary>Tags that every request of this key carries.</summary>
    public string[] Tags { get; init; } = [];

    /// <summary>Every budget that applies to a request of this key, whatever the model.</summary>
    public BudgetDefinition[] Budgets { get; init; } = [];

    /// <summary>Budgets that apply to this key's requests to some models only.</summary>
    public ModelBudget[] ModelBudgets { get; init; } = [];

    /// <summary>Every rate limit that applies to a request of this key, whatever the model.</summary>
    public LimitDefinition[] Limits { get; init; } = [];

    /// <summary>Whose requests the key's are, as budgets name them: the key, its user, its team, its organization.</summary>
    public string[] Owners()
    {
        List<string> owners = [BudgetId.Of(BudgetId.KeyScope, KeyId)];
        Add(BudgetId.UserScope, UserId);
        Add(BudgetId.TeamScope, TeamId);
        Add(BudgetId.OrganizationScope, OrganizationId);
        return [.. owners];

        void Add(string scope, string? owner)
        {
            if (owner is not null)
            {
                owners.Add(BudgetId.Of(scope, owner));
            }
        }
    }

    /// <summary>The number of the last change that is contained (<see cref="AccessChange.Sequence"/>).</summary>
    public long Revision { get; init; }
}

/// <summary>What an edge forgets when it hears of a change.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccessChangeKind>))]
public enum AccessChangeKind
{
    /// <summary>Nothing: the line only says that the stream lives.</summary>
    Heartbeat,

    /// <summary>One key.</summary>
    Key,

    /// <summary>Every key of a user.</summary>
    User,

    /// <summary>Every key of a team.</summary>
    Team,

    /// <summary>Every key of an organization.</summary>
    Organization,

    /// <summary>Every key: sent when the reader was away for too long to be told one by one.</summary>
    Everything,
}

/// <summary>One line of Auth's change stream (<c>GET /internal/access/changes?after=N</c>, one JSON object a line).</summary>
/// <param name="Sequence">Rises by at least one with each change; a reader continues after the last that it saw.</param>
/// <param name="Kind">What changed.</param>
/// <param name="Id">Of whom; null for <see cref="AccessChangeKind.Everything"/> and heartbeats.</param>
public sealed record AccessChange(long Sequence, AccessChangeKind Kind, string? Id);

/// <summary>Asks Auth for the snapshot of a key that an edge does not know (<c>POST /internal/keys/resolve</c>): 200, or 404 for an unknown key.</summary>
/// <param name="Key">The key as the caller sent it. Never logged.</param>
public sealed record ResolveKey(string Key)
{
    /// <summary>Leaves the key out.</summary>
    public override string ToString() => "ResolveKey { *** }";
}
