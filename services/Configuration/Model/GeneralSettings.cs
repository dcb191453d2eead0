using System.Net;
using Gateway.Contracts;

namespace Gateway.Configuration;

/// <summary><c>general_settings</c>.</summary>
public sealed record GeneralSettings
{
    /// <summary>The administrator's key.</summary>
    public Secret? MasterKey { get; init; }

    /// <summary>The largest body of a request, in bytes (<c>max_request_size_mb</c>).</summary>
    public long MaxRequestBytes { get; init; } = 32L << 20;

    /// <summary>The largest file that is sent to a provider, in bytes (<c>max_file_size_mb</c>).</summary>
    public long MaxFileBytes { get; init; } = 200L << 20;

    /// <summary>Requests at once for the whole gateway.</summary>
    public int? GlobalMaxParallelRequests { get; init; }

    /// <summary>Requests at once for a key that states none of its own.</summary>
    public int? MaxParallelRequests { get; init; }

    /// <summary>A header that a key may be sent in, besides <c>Authorization</c>.</summary>
    public string? KeyHeaderName { get; init; }

    /// <summary>How long a request may wait for money that others are expected to give back.</summary>
    public TimeSpan BudgetWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a key is believed while Auth does not answer.</summary>
    public TimeSpan MaxStale { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often credentials that are kept in files and stores are looked at.</summary>
    public TimeSpan CredentialRefresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a credential is used while its store does not answer.</summary>
    public TimeSpan CredentialMaxStale { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A price file over the built-in prices; an absolute path.</summary>
    public string? PriceFile { get; init; }

    /// <summary>A header that a request's end user may be named in, besides the field <c>user</c>.</summary>
    public string? UserHeaderName { get; init; }

    /// <summary>Networks that providers may be in although they are link-local or a metadata service's (<c>allowed_upstream_networks</c>).</summary>
    public IReadOnlyList<IPNetwork> AllowedUpstreamNetworks { get; init; } = [];

    /// <summary>Headers of callers that are sent on to providers (<c>forwarded_client_headers</c>); no others are.</summary>
    public IReadOnlyList<string> ForwardedClientHeaders { get; init; } = [];

    /// <summary>Whether callers may send no tags of their own (<c>reject_clientside_metadata_tags</c>).</summary>
    public bool RejectClientsideTags { get; init; }

    /// <summary>Whether every request has to name its end user.</summary>
    public bool EnforceUserParam { get; init; }
}

/// <summary><c>litellm_settings</c>: what of it concerns the gateway. Retries, timeouts and fallbacks went into <see cref="RouterSettings"/>.</summary>
public sealed record LiteLlmSettings
{
    /// <summary>Whether fields that a provider does not know are left out instead of refused.</summary>
    public bool DropParams { get; init; }

    /// <summary>The whole gateway's budget.</summary>
    public Money? MaxBudget { get; init; }

    /// <summary>Its period.</summary>
    public string? BudgetDuration { get; init; }

    /// <summary>Whether the last usage frame of a stream names the cost.</summary>
    public bool IncludeCostInStreamingUsage { get; init; }
}

/// <summary>An entry of <c>user_access</c>: a user, what it may call and spend, and its key.</summary>
public sealed record UserAccess
{
    /// <summary>Who.</summary>
    public required string UserId { get; init; }

    /// <summary>The public names or patterns granted (<c>*</c> for every model); empty for none.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What it may spend in a period; null for no limit.</summary>
    public Money? MaxBudget { get; init; }

    /// <summary>Spending above this only alerts.</summary>
    public Money? SoftBudget { get; init; }

    /// <summary>The period; null for a budget that never starts again.</summary>
    public string? BudgetDuration { get; init; }

    /// <summary>Requests per minute.</summary>
    public long? RpmLimit { get; init; }

    /// <summary>Tokens per minute.</summary>
    public long? TpmLimit { get; init; }

    /// <summary>Requests at once.</summary>
    public int? MaxParallelRequests { get; init; }

    /// <summary>The team that it belongs to.</summary>
    public string? TeamId { get; init; }

    /// <summary>Which credential its calls use, by provider, public model name or deployment; of the names in <c>credential_list</c>.</summary>
    public IReadOnlyDictionary<string, string> Credentials { get; init; } = new Dictionary<string, string>();

    /// <summary>Its key.</summary>
    public required Secret ApiKey { get; init; }

    /// <summary>Whether the key was made from the name (<c>team-alpha-token</c>), as Development does when none is stated.</summary>
    public bool ApiKeyIsMade { get; init; }

    /// <summary>The name, no key.</summary>
    public override string ToString() => $"user {UserId}";
}
